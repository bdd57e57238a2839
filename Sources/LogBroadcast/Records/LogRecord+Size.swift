import Logging

extension LogRecord {
    /// About how many bytes of memory it takes.
    var size: Int {
        300 + message.utf8.count + (exception?.utf8.count ?? 0) + (metadata.isEmpty ? 0 : metadataSize)
    }

    private var metadataSize: Int { metadata.reduce(0) { $0 + 64 + $1.key.utf8.count + $1.value.size } }

    /// The record, or what a limit leaves of it.
    ///
    /// Where it is too large, the message and the error are cut and say by how much, and metadata that are too large by
    /// themselves are replaced by the member `cut`.
    ///
    /// - Parameter limit: The bytes it may take, at least 4,096.
    /// - Returns: What is left.
    func cut(to limit: Int) -> LogRecord {
        guard size > limit else { return self }
        var record = self
        let metadata = metadata.isEmpty ? 0 : metadataSize
        if metadata > limit / 4 { record.metadata = ["cut": "\(metadata) bytes of metadata"] }
        record.exception = exception.map { Self.cut($0, to: limit / 4) }
        record.message = Self.cut(message, to: limit / 4)
        return record
    }

    private static func cut(_ text: String, to limit: Int) -> String {
        let bytes = text.utf8
        guard bytes.count > limit else { return text }
        var end = bytes.index(bytes.startIndex, offsetBy: limit)
        // Not within a character.
        while bytes[end] & 0xc0 == 0x80 { end = bytes.index(before: end) }
        return "\(text[..<end])… (\(bytes.distance(from: end, to: bytes.endIndex)) more bytes)"
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
