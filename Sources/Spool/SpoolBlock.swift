/// A record as the reader gets it.
public struct SpoolRecord {
    /// Its number: greater than that of every record appended before it to this directory, also by earlier processes.
    ///
    /// Numbers can be left out, but no number ever stands for two records, not even when a loss of power took one of them:
    /// together with ``Spool/identity`` it names a record for ever.
    public let sequence: UInt64
    /// What its writer gave with it; the spool does not look at it.
    public let flag: UInt8
    /// Its bytes.
    ///
    /// They stay where they are as long as the block, or a copy of it, is alive, and until ``Spool/next()`` is called again.
    public let bytes: UnsafeRawBufferPointer
}

/// Records that were written together, in the order of their appending; a sequence that can be walked more than once.
///
/// A copy is cheap: it shares the bytes.
public struct SpoolBlock: Sequence {
    /// The number of the first record.
    public let firstSequence: UInt64
    /// How many records there are; at least one.
    public let recordCount: Int
    /// How many records were lost between the block before this one and this one, dropped or damaged.
    public let missingBefore: UInt64

    /// The number of the last record: what to acknowledge when all are done.
    public var lastSequence: UInt64 { firstSequence + UInt64(recordCount) - 1 }

    let buffer: BlockBuffer
    /// Where the first record starts in the buffer.
    let offset: Int

    init(_ header: BlockHeader, in buffer: BlockBuffer, at offset: Int, skipping: Int, missing: UInt64) {
        var start = offset
        for _ in 0..<skipping {
            let header = UInt32(littleEndian: buffer.bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
            start += Record.headerCount + Record.count(in: header)
        }
        firstSequence = header.firstSequence + UInt64(skipping)
        recordCount = header.recordCount - skipping
        missingBefore = missing
        self.buffer = buffer
        self.offset = start
    }

    /// Walks the records.
    public func makeIterator() -> Iterator { Iterator(block: self, offset: offset, index: 0) }

    /// The way through a block; keep it to go on later.
    public struct Iterator: IteratorProtocol {
        let block: SpoolBlock
        var offset: Int
        var index: Int

        /// The next record; nil after the last one.
        public mutating func next() -> SpoolRecord? {
            guard index < block.recordCount else { return nil }
            let bytes = UnsafeRawBufferPointer(block.buffer.bytes)
            let header = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            let count = Record.count(in: header)
            let start = offset + Record.headerCount
            defer {
                offset = start + count
                index += 1
            }
            return SpoolRecord(
                sequence: block.firstSequence + UInt64(index), flag: Record.flag(in: header),
                bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
        }
    }
}
