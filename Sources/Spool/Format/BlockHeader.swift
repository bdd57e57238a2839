import Checksums

/// What a block starts with; its records follow.
struct BlockHeader: Equatable {
    /// The segment's.
    var mark: UInt64
    /// How many bytes follow.
    var payloadCount: Int
    /// How many records they are; at least one.
    var recordCount: Int
    /// The sequence number of the first record.
    var firstSequence: UInt64
    /// How many records the spool had taken before that one.
    var firstOrdinal: UInt64
    /// The checksum of the bytes that follow.
    var payloadChecksum: UInt32

    static let count = 40

    var endOrdinal: UInt64 { firstOrdinal + UInt64(recordCount) }

    init(
        mark: UInt64, payloadCount: Int, recordCount: Int, firstSequence: UInt64, firstOrdinal: UInt64,
        payloadChecksum: UInt32
    ) {
        self.mark = mark
        self.payloadCount = payloadCount
        self.recordCount = recordCount
        self.firstSequence = firstSequence
        self.firstOrdinal = firstOrdinal
        self.payloadChecksum = payloadChecksum
    }

    /// Reads a header; nil when the bytes are none, or damaged.
    init?(_ bytes: UnsafeRawBufferPointer) {
        // A block can be one short line, so no copy is made on the way to the numbers.
        guard bytes.count >= Self.count,
            Self.number(bytes, 36) == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<36]))
        else { return nil }
        mark = Self.number(bytes, 0)
        payloadCount = Int(Self.number(bytes, 8) as UInt32)
        recordCount = Int(Self.number(bytes, 12) as UInt32)
        firstSequence = Self.number(bytes, 16)
        firstOrdinal = Self.number(bytes, 24)
        payloadChecksum = Self.number(bytes, 32)
        guard recordCount > 0, payloadCount / Record.headerCount >= recordCount,
            !firstSequence.addingReportingOverflow(UInt64(recordCount)).overflow,
            !firstOrdinal.addingReportingOverflow(UInt64(recordCount)).overflow
        else { return nil }
    }

    /// Writes the header into the first bytes of `target`.
    func write(to target: UnsafeMutableRawBufferPointer) {
        target.storeBytes(of: mark.littleEndian, toByteOffset: 0, as: UInt64.self)
        target.storeBytes(of: UInt32(payloadCount).littleEndian, toByteOffset: 8, as: UInt32.self)
        target.storeBytes(of: UInt32(recordCount).littleEndian, toByteOffset: 12, as: UInt32.self)
        target.storeBytes(of: firstSequence.littleEndian, toByteOffset: 16, as: UInt64.self)
        target.storeBytes(of: firstOrdinal.littleEndian, toByteOffset: 24, as: UInt64.self)
        target.storeBytes(of: payloadChecksum.littleEndian, toByteOffset: 32, as: UInt32.self)
        let checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(target)[..<36]))
        target.storeBytes(of: checksum.littleEndian, toByteOffset: 36, as: UInt32.self)
    }

    private static func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ offset: Int
    ) -> Number {
        Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}
