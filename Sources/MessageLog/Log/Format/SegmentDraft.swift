import Checksums
import CivilTime

/// A segment that looks for its place in a log: only its header changes on the way.
struct SegmentDraft: Sendable {
    private(set) var header: SegmentHeader
    /// The segment as it is put.
    private(set) var bytes: [UInt8]
    /// The latest time that a message of it has.
    private let latest: UTCTime

    /// Puts records behind a header that has no place yet.
    ///
    /// - Parameters:
    ///   - records: As ``MessageBatch/records``; the caller has checked that they are not empty nor too many.
    ///   - count: How many there are.
    ///   - latest: The latest of their times.
    ///   - writer: Who writes.
    ///   - batch: Which of the writer's batches it is.
    init(_ records: [ArraySlice<UInt8>], count: Int, latest: UTCTime, writer: WriterID, batch: UInt64) {
        let total = records.reduce(0) { $0 + $1.count }
        bytes = []
        bytes.reserveCapacity(SegmentHeader.byteCount + total)
        bytes.append(contentsOf: repeatElement(0, count: SegmentHeader.byteCount))
        for part in records { bytes.append(contentsOf: part) }
        let checksum = bytes.withUnsafeBytes {
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[SegmentHeader.byteCount...]))
        }
        self.latest = latest
        header = SegmentHeader(
            number: 0, firstSequence: 0, count: count, time: latest, writer: writer, batch: batch, payloadBytes: total,
            payloadChecksum: checksum)
    }

    /// Gives it its place.
    ///
    /// - Parameters:
    ///   - number: The segment's number.
    ///   - firstSequence: Its first message's.
    ///   - time: The time of the segment before it, or the time now where that is later.
    mutating func place(number: UInt64, firstSequence: UInt64, time: UTCTime) {
        header.number = number
        header.firstSequence = firstSequence
        header.time = max(time, latest)
        bytes.replaceSubrange(..<SegmentHeader.byteCount, with: header.bytes)
    }
}
