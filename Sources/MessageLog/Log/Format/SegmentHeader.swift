import Checksums
import CivilTime

/// What a segment starts with (docs/message-log.md).
struct SegmentHeader: Sendable, Equatable {
    /// The segment's number, which is its object's name too: 1 for the first of a log, then one more each.
    var number: UInt64
    /// The sequence number of the first message.
    var firstSequence: UInt64
    /// How many messages there are; at least one.
    var count: Int
    /// When it was written, by its writer's clock; never before the segment before it, nor before any message of it.
    var time: UTCTime
    /// Who wrote it.
    var writer: WriterID
    /// Which of its writer's batches it is, however often the writer tried.
    var batch: UInt64
    /// How many bytes of records follow.
    var payloadBytes: Int
    /// The checksum of these.
    var payloadChecksum: UInt32

    /// The sequence number behind the last message.
    var endSequence: UInt64 { firstSequence + UInt64(count) }

    static let byteCount = 80
    static let version: UInt32 = 1
    /// The most that a payload may have: twice the longest message.
    static let maximumPayload = 16 << 20
    /// Numbers of segments and messages stay below this, for languages that have no unsigned numbers.
    static let numberLimit: UInt64 = 1 << 63
    /// `LIBRALOG`.
    private static let magic: UInt64 = 0x474f_4c41_5242_494c

    /// What the first bytes of an object say.
    enum Reading: Sendable, Equatable {
        case header(SegmentHeader)
        /// They are intact, but of a version that this one does not know.
        case unknownVersion(UInt32)
        case damaged
    }

    static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        guard let fields = SealedFields(bytes, count: byteCount), fields.isIntact, fields[0] == magic else {
            return .damaged
        }
        guard fields[8] == version else { return .unknownVersion(fields[8]) }
        let header = SegmentHeader(
            number: fields[16], firstSequence: fields[24], count: Int(fields[12] as UInt32),
            time: UTCTime(microseconds: fields[32]), writer: WriterID(high: fields[40], low: fields[48]),
            batch: fields[56], payloadBytes: Int(fields[64] as UInt32), payloadChecksum: fields[68])
        return header.isPossible ? .header(header) : .damaged
    }

    var bytes: [UInt8] {
        var fields = SealedFields(count: Self.byteCount)
        fields[0] = Self.magic
        fields[8] = Self.version
        fields[12] = UInt32(truncatingIfNeeded: count)
        fields[16] = number
        fields[24] = firstSequence
        fields[32] = time.microseconds
        fields[40] = writer.high
        fields[48] = writer.low
        fields[56] = batch
        fields[64] = UInt32(truncatingIfNeeded: payloadBytes)
        fields[68] = payloadChecksum
        fields.seal()
        return fields.bytes
    }

    private var isPossible: Bool {
        1..<Self.numberLimit ~= number && 1..<Self.numberLimit ~= firstSequence && count > 0
            && count <= payloadBytes / MessageBatch.recordHeader && payloadBytes <= Self.maximumPayload
            && endSequence <= Self.numberLimit
    }
}

/// A writer's random number, which tells its segments from those of others.
struct WriterID: Sendable, Hashable, CustomStringConvertible {
    let high: UInt64
    let low: UInt64

    var description: String { Self.digits(high) + Self.digits(low) }

    private static func digits(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
