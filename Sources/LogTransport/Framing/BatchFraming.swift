/// Many lines in one ZeroMQ message, version 1; docs/wire.md, "Batches", has the format for other implementations.
package enum BatchFraming {
    /// A line feed, which no line begins with unless it is empty, and `LBA`; the first four bytes.
    static let magic: UInt32 = 0x0a4c_4241
    static let version: UInt8 = 1
    static let headerSize = 12
    /// The bytes that a batch has besides those of its lines: before all, and before each.
    package static let overheadPerBatch = headerSize
    package static let overheadPerLine = 4

    /// What stands in front of a line of `count` bytes, less than 4 GiB, that is a batch by itself.
    static func headOfSingleLine(of count: Int) -> [UInt8] {
        [magic, UInt32(version) << 24, 1, UInt32(count)].flatMap { field in
            withUnsafeBytes(of: field.bigEndian) { Array($0) }
        }
    }

    /// Whether a message is a batch, of whatever version: true of no line of text and of no JSON object.
    ///
    /// A message of a program's own of which it is true has to be sent in a batch.
    package static func isBatch(_ message: UnsafeRawBufferPointer) -> Bool {
        message.count >= headerSize && UInt32(bigEndian: message.loadUnaligned(as: UInt32.self)) == magic
    }
}
