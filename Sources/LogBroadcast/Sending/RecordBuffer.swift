import DedicatedThread

/// Records between those who log and the one thread that sends: bounded in bytes, and nobody who logs ever waits.
///
/// When it is full the oldest make room. Records are numbered here, so that numbers follow the order in which they leave,
/// and one that was dropped shows as a number that is missing. Each buffer numbers for itself, and gives its numbers a
/// ``LogRecord/run`` of their own.
///
/// The sender is woken by the first record after a second's silence only; until then it looks again by itself every
/// ``doze``. So logging costs no system call while records keep coming, and an idle process sleeps.
final class RecordBuffer: Sendable {
    /// What the sender is told.
    struct Batch {
        /// Records in the order of their numbers.
        var records: [LogRecord]
        /// How many were dropped since that was told last; 0 while that was less than ``noticePause`` ago.
        var dropped: UInt64
        /// Whether it was closed, and these are the last.
        var isLast: Bool
    }

    /// How long the sender waits before it looks for more.
    static let doze = Duration.milliseconds(10)
    /// How often it does so in vain before it goes to sleep.
    static let dozes = 100
    /// How many records a batch has at most: those who log wait while one is taken out.
    static let batch = 128

    /// How often at most the sender is told of dropped records, so that notices of the loss do not add to it.
    static let noticePause = Duration.seconds(1)

    private struct State {
        var ring = Ring()
        var lastNotice: ContinuousClock.Instant?
        var bytes = 0
        var seq: UInt64 = 0
        var dropped: UInt64 = 0
        var isAsleep = false
        var isClosed = false
        /// Who waits for room.
        var roomIsMade: FirstAnswer<Void>?

        /// Whether a notice of dropped records is due.
        var isNoticeDue: Bool {
            dropped > 0 && (isClosed || lastNotice.map { $0.duration(to: .now) >= noticePause } ?? true)
        }

        var hasNews: Bool { ring.count > 0 || isNoticeDue }

        mutating func takeFirst() -> LogRecord? {
            guard let first = ring.takeFirst() else { return nil }
            bytes -= first.size
            return first.record
        }
    }

    private let limit: Int
    /// Random, as neither a process's number nor a clock tells one run from another.
    private let run = String(UInt64.random(in: .min ... .max), radix: 36)
    private let state = ThreadMonitor(State())

    /// Creates an empty buffer.
    ///
    /// - Parameter limit: How many bytes it may hold; what a record takes is counted as its texts and 300 bytes.
    init(limit: Int) { self.limit = limit }

    // MARK: Those who log

    /// Adds a record and gives it its number; never waits for room.
    ///
    /// - Parameter record: The record; when it is larger than the whole buffer it counts as dropped.
    func append(_ record: LogRecord) {
        let size = record.size
        let wakes = state.withLock { state in
            guard !state.isClosed else { return false }
            state.seq += 1
            if size > limit {
                state.dropped += 1
            } else {
                while state.bytes + size > limit, state.takeFirst() != nil { state.dropped += 1 }
                state.ring.append(record, size: size, seq: state.seq, run: run)
                state.bytes += size
            }
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if wakes { state.signal() }
    }

    /// Adds a record and gives it its number, unless another would have to be dropped for it.
    ///
    /// - Parameter record: The record.
    /// - Returns: Nil when it was added, or never can be; else what is answered when room was made. Whoever asked before and
    ///   waits is answered now.
    func appendIfRoom(_ record: LogRecord) -> FirstAnswer<Void>? {
        let size = record.size
        let (waiting, before): (FirstAnswer<Void>?, FirstAnswer<Void>?) = state.withLock { state in
            guard !state.isClosed, size <= limit, state.bytes + size > limit else { return (nil, nil) }
            let before = state.roomIsMade
            state.roomIsMade = FirstAnswer()
            return (state.roomIsMade, before)
        }
        before?.offer(())
        if waiting == nil { append(record) }
        return waiting
    }

    // MARK: The sender

    /// Waits for records; to be called by one thread.
    ///
    /// - Returns: What there is; without records when there is only to tell how many were dropped, or when it was closed.
    func next() -> Batch {
        for _ in 0..<Self.dozes {
            let isIdle = state.withLock { !$0.hasNews && !$0.isClosed }
            guard isIdle else { break }
            let end = ContinuousClock.now + Self.doze
            state.wait { $0.isClosed || .now >= end ? .value(()) : .wait(until: end) }
        }
        let (batch, roomIsMade): (Batch, FirstAnswer<Void>?) = state.wait { state in
            guard state.ring.count > 0 || state.dropped > 0 || state.isClosed else {
                state.isAsleep = true
                return .wait(until: nil)
            }
            state.isAsleep = false
            var batch = Batch(records: [], dropped: 0, isLast: false)
            if state.isNoticeDue || state.ring.count == 0 {
                (batch.dropped, state.dropped) = (state.dropped, 0)
                state.lastNotice = .now
            }
            batch.records.reserveCapacity(min(state.ring.count, Self.batch))
            while batch.records.count < Self.batch, let record = state.takeFirst() { batch.records.append(record) }
            batch.isLast = state.isClosed && state.ring.count == 0
            return .value((batch, state.roomIsMade.take()))
        }
        roomIsMade?.offer(())
        return batch
    }

    /// Takes no more records; those that are here can still be taken.
    func close() {
        let roomIsMade = state.update { state in
            state.isClosed = true
            return state.roomIsMade.take()
        }
        roomIsMade?.offer(())
    }

    /// How many records wait, how many bytes they count as, and how many were dropped that nobody was told of.
    var counts: (waiting: Int, bytes: Int, dropped: UInt64) {
        state.withLock { ($0.ring.count, $0.bytes, $0.dropped) }
    }
}

/// Records in a row, of which the first goes first.
private struct Ring {
    private var slots: [(record: LogRecord, size: Int)?] = []
    private var first = 0
    private(set) var count = 0

    mutating func append(_ record: LogRecord, size: Int, seq: UInt64, run: String) {
        if count == slots.count { grow() }
        var record = record
        record.seq = seq
        record.run = run
        slots[(first + count) % slots.count] = (record, size)
        count += 1
    }

    mutating func takeFirst() -> (record: LogRecord, size: Int)? {
        guard count > 0, let entry = slots[first].take() else { return nil }
        first = (first + 1) % slots.count
        count -= 1
        return entry
    }

    private mutating func grow() {
        var larger: [(record: LogRecord, size: Int)?] = []
        larger.reserveCapacity(max(64, 2 * count))
        for place in 0..<count { larger.append(slots[(first + place) % slots.count].take()) }
        larger.append(contentsOf: repeatElement(nil, count: max(64, count)))
        (slots, first) = (larger, 0)
    }
}
