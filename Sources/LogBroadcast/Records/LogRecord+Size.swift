import Logging

extension LogRecord {
    /// About how many bytes of memory it takes.
    var size: Int {
        300 + message.utf8.count + (exception?.utf8.count ?? 0) + (metadata.isEmpty ? 0 : metadataSize)
    }

    private var metadataSize: Int { metadata.reduce(0) { $0 + 64 + $1.key.utf8.count + $1.value.size } }

    /// The record, or what a limit leaves of its texts.
    ///
    /// A message and an error that are longer are cut and say by how much; metadata that take more are replaced by the
    /// member `cut`.
    ///
    /// - Parameter limit: The most bytes of each of the three, at least 1,024.
    /// - Returns: What is left.
    func cut(to limit: Int) -> LogRecord {
        guard size > limit else { return self }
        var record = self
        let metadata = metadata.isEmpty ? 0 : metadataSize
        if metadata > limit { record.metadata = ["cut": "\(metadata) bytes of metadata"] }
        record.exception = exception.map { CutText($0, to: limit).text }
        record.message = CutText(message, to: limit).text
        return record
    }
}

/// A text, or its beginning and how much more there was: `… (25941 more bytes)`.
package struct CutText: Sendable, Hashable {
    /// The text, with the mark at its end when it was cut; as long as the limit at most.
    package let text: String
    /// The bytes that are left out.
    package let missing: Int

    /// The longest mark, with a number of 19 digits.
    private static let markLength = 36

    /// Cuts a text where it is too long, between two characters.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - limit: The most bytes of UTF-8 with the mark, at least 1,024.
    ///   - after: The bytes after the text that are missing already; when there are any, it is marked whatever its length.
    package init(_ text: String, to limit: Int, missing after: Int = 0) {
        let bytes = text.utf8
        guard bytes.count > limit || after > 0 else {
            self.text = text
            missing = 0
            return
        }
        var end = bytes.endIndex
        if bytes.count > limit - Self.markLength {
            end = bytes.index(bytes.startIndex, offsetBy: limit - Self.markLength)
            // Not within a character.
            while bytes[end] & 0xc0 == 0x80 { end = bytes.index(before: end) }
        }
        missing = after + bytes.distance(from: end, to: bytes.endIndex)
        self.text = "\(text[..<end])… (\(missing) more bytes)"
    }
}

extension Logger.MetadataValue {
    fileprivate var size: Int {
        switch self {
        case .string(let text): text.utf8.count
        case .stringConvertible: 32
        case .array(let elements): elements.reduce(32) { $0 + $1.size }
        case .dictionary(let members): members.reduce(0) { $0 + 64 + $1.key.utf8.count + $1.value.size }
        }
    }
}
