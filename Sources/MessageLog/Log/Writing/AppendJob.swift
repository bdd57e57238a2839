import CivilTime

/// A batch on its way into a log; it belongs to the writer's actor.
///
/// It outlives the call that brought it when that call failed and a part of it may be stored, so that calling again with
/// the same batch does not store it twice.
final class AppendJob {
    /// The number of the call that waits for it, or that waited last.
    var number: UInt64
    let batch: MessageBatch
    /// When the caller's patience ends, by ``LogEnvironment/elapsed``.
    var deadline: Duration
    var caller: CheckedContinuation<Result<AppendReceipt, MessageLogError>, Never>?
    /// The parts that go into segments of their own: where each ends in the records, and how many messages it has.
    private let parts: [(end: Int, count: Int)]
    private var stored = 0
    private var firstSequence: UInt64 = 0
    private var lastSequence: UInt64 = 0

    /// Cuts a batch into what fits into segments.
    init(number: UInt64, batch: MessageBatch, limit: Int, deadline: Duration) {
        self.number = number
        self.batch = batch
        self.deadline = deadline
        parts = batch.records.count <= limit ? [(batch.records.count, batch.count)] : Self.parts(of: batch, limit)
    }

    private static func parts(of batch: MessageBatch, _ limit: Int) -> [(end: Int, count: Int)] {
        var parts: [(end: Int, count: Int)] = []
        batch.records.withUnsafeBytes { bytes in
            var (start, end, count) = (0, 0, 0)
            for _ in 0..<batch.count {
                let body = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
                let next = end + MessageBatch.recordHeader + Int(body)
                if count > 0, next - start > limit {
                    parts.append((end, count))
                    (start, count) = (end, 0)
                }
                end = next
                count += 1
            }
            parts.append((end, count))
        }
        return parts
    }

    /// Whether the whole of it goes into one segment, together with others.
    var isWhole: Bool { parts.count == 1 }

    /// Whether a part of it is in the log.
    var isBegun: Bool { stored > 0 }

    /// The records of the part that is next, and their number.
    var nextPart: (records: ArraySlice<UInt8>, count: Int) {
        (batch.records[(stored > 0 ? parts[stored - 1].end : 0)..<parts[stored].end], parts[stored].count)
    }

    /// Where the messages stand, once all are stored.
    var receipt: AppendReceipt? {
        stored < parts.count ? nil : AppendReceipt(first: .sequence(firstSequence), last: .sequence(lastSequence))
    }

    /// Says that the next part is stored.
    ///
    /// - Parameter sequence: Its first message's number.
    /// - Returns: The number behind its last.
    func markStored(from sequence: UInt64) -> UInt64 {
        let end = sequence + UInt64(parts[stored].count)
        if stored == 0 { firstSequence = sequence }
        lastSequence = end - 1
        stored += 1
        return end
    }

    /// Answers the call that waits, if one does.
    func answer(_ result: Result<AppendReceipt, MessageLogError>) {
        caller?.resume(returning: result)
        caller = nil
    }
}

/// Jobs that go into one segment together; it belongs to the writer's actor.
final class SegmentInHand {
    var draft: SegmentDraft
    let jobs: [AppendJob]
    /// The number under which it was put without an answer: it may be there, or still come to be.
    var uncertainAt: UInt64?
    /// Whether the store is being asked to put it.
    var isBeingPut = false
    /// What the last attempt came to that failed.
    var lastFailure: MessageLogError?

    /// Whether it may be in the log, or come to be there without another attempt.
    var mayBeStored: Bool { uncertainAt != nil || isBeingPut }

    init(draft: SegmentDraft, jobs: [AppendJob]) {
        self.draft = draft
        self.jobs = jobs
    }
}
