import Synchronization

/// Between the places that a viewer watches and those who iterate: makes events of the messages that come.
///
/// Messages are read by the task that takes events, so that those who bring them need not wake it for each.
final class EventDesk: Sendable {
    private enum Item: Sendable {
        case message([UInt8])
        case event(BroadcastEvent)
    }

    private struct Reading {
        var missed = MissedRecords()
        /// What was found in a message beside the event that it was taken for.
        var found: [BroadcastEvent] = []
    }

    private let channel = BoundedChannel<Item>()
    private let reading = Mutex(Reading())

    /// Brings a message, and waits while the viewer has not taken those before it.
    ///
    /// - Returns: Whether the viewer still wants any.
    func bring(_ message: [UInt8]) async -> Bool {
        await channel.send(.message(message), bytes: message.count)
    }

    /// Brings an event that is no message, as ``bring(_:)-([UInt8])`` does.
    func bring(_ event: BroadcastEvent) async -> Bool { await channel.send(.event(event)) }

    /// Takes the next event.
    ///
    /// - Returns: The event; nil after the end, or when the task was cancelled.
    func next() async -> BroadcastEvent? {
        while true {
            if let event = reading.withLock({ $0.found.popLast() }) { return event }
            switch await channel.next() {
            case nil: return nil
            case .event(let event): return event
            case .message(let body):
                let events = events(of: body)
                guard let first = events.first else { continue }
                if let second = events.dropFirst().first { reading.withLock { $0.found.append(second) } }
                return first
            }
        }
    }

    /// Wants no more: what is here can still be taken.
    func finish() { channel.finish() }

    /// What a message means: nothing when it was here before.
    func events(of body: [UInt8]) -> [BroadcastEvent] {
        let record: LogRecord
        do throws(LogBroadcastError) {
            record = try LogRecord(json: body)
        } catch {
            return [.foreign(body)]
        }
        switch reading.withLock({ $0.missed.note(record) }) {
        case .next: return [.record(record)]
        case .repeated: return []
        case .after(let count):
            return [.missed(machine: record.machine, pid: record.pid, count: count), .record(record)]
        }
    }
}

/// A place that a viewer watches.
protocol WatchedPlace: Sendable {
    /// Brings what comes to a desk, until it is closed or the desk wants no more.
    func watch(for desk: EventDesk) async

    /// Waits until what is broadcast from now on will come.
    func waitUntilReady(within limit: Duration) async throws(LogBroadcastError)

    /// Has ``watch(for:)`` return.
    func close() async
}
