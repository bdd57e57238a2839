import Checksums

/// How far the reader and the writer are; the cursor file has two, and the intact one of the higher generation counts.
struct CursorSlot: Equatable {
    /// How often the cursor was written.
    var generation: UInt64 = 0
    /// The spool's own number.
    var identity: UInt64
    /// The sequence number of the last record acknowledged; 0 for none.
    var acknowledgedSequence: UInt64 = 0
    /// How many records of the spool are done with.
    var acknowledgedOrdinal: UInt64 = 0
    /// The system's start (boot_id in random(4)) during which the slot was written; 0 when it is not known.
    var boot: UInt64 = 0
    /// A sequence number above all that were written when the slot was.
    var nextSequence: UInt64 = 1
    /// How many records the spool had written by then.
    var writtenOrdinal: UInt64 = 0
    /// What the writer has left for the next process to tell: how many records it could not put behind these.
    var untold: UInt32 = 0

    static let count = 80
    /// `LIBCURSR`.
    private static let magic: UInt64 = 0x5253_5255_4342_494c

    /// What the bytes of a slot say.
    enum Reading: Equatable {
        case slot(CursorSlot)
        case unknownVersion(UInt32)
        case damaged
    }

    static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        guard let fields = SealedFields(bytes, count: count), fields.isIntact, fields[0] == magic else {
            return .damaged
        }
        guard fields[8] == SegmentHeader.version else { return .unknownVersion(fields[8]) }
        return .slot(
            CursorSlot(
                generation: fields[16], identity: fields[24], acknowledgedSequence: fields[32],
                acknowledgedOrdinal: fields[40], boot: fields[48], nextSequence: fields[56], writtenOrdinal: fields[64],
                untold: fields[72])
        )
    }

    var bytes: [UInt8] {
        var fields = SealedFields(count: Self.count)
        fields[0] = Self.magic
        fields[8] = SegmentHeader.version
        fields[16] = generation
        fields[24] = identity
        fields[32] = acknowledgedSequence
        fields[40] = acknowledgedOrdinal
        fields[48] = boot
        fields[56] = nextSequence
        fields[64] = writtenOrdinal
        fields[72] = untold
        fields.seal()
        return fields.bytes
    }
}
