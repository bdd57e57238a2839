/// The lines of a message that was packed by a ``BatchBuilder``.
///
/// All of the message is checked before the first line is given, so a damaged or hostile one gives none at all.
package struct Batch: IteratorProtocol {
    /// How many lines there are.
    package let count: Int
    private let message: UnsafeRawBufferPointer
    private var position = BatchFraming.headerSize

    /// Checks a message, which must stay where it is as long as its lines are used; nothing is copied or allocated.
    ///
    /// - Parameter message: A message for which ``BatchFraming/isBatch(_:)`` is true.
    /// - Throws: ``LogTransportError`` with code `protocolViolation` when it is of another version, or its lengths and its
    ///   size do not agree.
    package init(_ message: UnsafeRawBufferPointer) throws(LogTransportError) {
        guard BatchFraming.isBatch(message) else {
            throw LogTransportError(.protocolViolation, "a message of \(message.count) bytes is not a batch")
        }
        let kind = UInt32(bigEndian: message.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard kind == UInt32(BatchFraming.version) << 24 else {
            throw LogTransportError(
                .protocolViolation,
                "a batch is not of version \(BatchFraming.version), the only one that is known: let both sides be alike"
            )
        }
        count = Int(UInt32(bigEndian: message.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        self.message = message
        var end = BatchFraming.headerSize
        var lines = 0
        // A length that reaches too far ends it, and the end then does not agree.
        while lines < count, message.count - end >= BatchFraming.overheadPerLine {
            end += BatchFraming.overheadPerLine + Self.length(in: message, at: end)
            lines += 1
        }
        guard lines == count, end == message.count else {
            throw LogTransportError(
                .protocolViolation, "a batch of \(message.count) bytes does not hold the \(count) lines that it says")
        }
    }

    /// The next line, where it lies in the message.
    @inline(__always) package mutating func next() -> UnsafeRawBufferPointer? {
        guard position < message.count else { return nil }
        let start = position + BatchFraming.overheadPerLine
        position = start + Self.length(in: message, at: position)
        return UnsafeRawBufferPointer(rebasing: message[start..<position])
    }

    @inline(__always) private static func length(in message: UnsafeRawBufferPointer, at offset: Int) -> Int {
        Int(UInt32(bigEndian: message.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }
}
