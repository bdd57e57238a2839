import CivilTime
import MessageLog
import Synchronization

/// Events that wait in memory, for a moment, for the one who sends them; the oldest make room.
final class EventQueue: Sendable {
    /// How many bytes of events may wait.
    static let capacity = 4 << 20

    private struct State {
        var waiting: [(time: UTCTime, bytes: [UInt8])] = []
        /// Those before it made room.
        var first = 0
        var size = 0
        var dropped: UInt64 = 0
        var number: UInt64 = 0
        var isEnded = false
        var reader: CheckedContinuation<Void, Never>?
    }

    private let host: String
    /// Drawn anew by each process, so that its events' numbers are no other's.
    private let process: String
    private let capacity: Int
    private let state = Mutex(State())

    init(host: String, capacity: Int = EventQueue.capacity) {
        self.host = host
        self.capacity = capacity
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        process = String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// How many events were dropped.
    var dropped: UInt64 { state.withLock { $0.dropped } }

    /// Takes an event; never waits.
    func append(_ event: WorkerEvent, at time: UTCTime = .now) {
        let reader = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.isEnded else { return nil }
            state.number += 1
            let bytes = event.bytes(id: "\(process)-\(state.number)", time: time, host: host)
            state.size += bytes.count
            state.waiting.append((time, bytes))
            // Who reads sees it by the numbers.
            while state.size > capacity, state.waiting.count - state.first > 1 {
                state.size -= state.waiting[state.first].bytes.count
                state.waiting[state.first].bytes = []
                state.first += 1
                state.dropped += 1
            }
            if state.first > state.waiting.count / 2 {
                state.waiting.removeFirst(state.first)
                state.first = 0
            }
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    /// Takes no more events: ``next()`` gives those that wait, and then nil.
    func end() {
        let reader = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isEnded = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    /// All that wait, as soon as there is one; nil when there will be none.
    ///
    /// For one task.
    func next() async -> MessageBatch? {
        while true {
            let (events, isEnded) = state.withLock { state in
                let events = state.waiting[state.first...]
                (state.waiting, state.first, state.size) = ([], 0, 0)
                return (events, state.isEnded)
            }
            if !events.isEmpty {
                var batch = MessageBatch()
                for event in events { batch.append(event.bytes, at: event.time) }
                return batch
            }
            if isEnded { return nil }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    guard state.waiting.isEmpty, !state.isEnded else { return true }
                    state.reader = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }
}
