import Checksums

/// What a segment starts with.
struct SegmentHeader: Equatable {
    /// A random number that every block of the segment starts with, so that no record can look like a block of it.
    var mark: UInt64
    /// The sequence number that the segment's first record has; it is the file's name too.
    var firstSequence: UInt64
    /// How many records the spool had taken before that one.
    var firstOrdinal: UInt64
    /// The spool that the segment is of.
    var identity: UInt64

    static let count = 64
    /// `LIBSPOOL`.
    private static let magic: UInt64 = 0x4c4f_4f50_5342_494c
    static let version: UInt32 = 1

    /// What the first bytes of a file say.
    enum Reading: Equatable {
        case header(SegmentHeader)
        /// They are intact, but of a version that this one does not know.
        case unknownVersion(UInt32)
        case damaged
    }

    static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        guard let fields = SealedFields(bytes, count: count), fields.isIntact, fields[0] == magic else {
            return .damaged
        }
        guard fields[8] == version else { return .unknownVersion(fields[8]) }
        return .header(
            SegmentHeader(
                mark: fields[16], firstSequence: fields[24], firstOrdinal: fields[32], identity: fields[40]))
    }

    var bytes: [UInt8] {
        var fields = SealedFields(count: Self.count)
        fields[0] = Self.magic
        fields[8] = Self.version
        fields[16] = mark
        fields[24] = firstSequence
        fields[32] = firstOrdinal
        fields[40] = identity
        fields.seal()
        return fields.bytes
    }
}
