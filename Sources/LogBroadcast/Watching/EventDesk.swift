import Synchronization

/// Makes events of the messages that come, of all places that a viewer watches.
final class EventDesk: Sendable {
    let channel = EventChannel()
    private let missed = Mutex(MissedRecords())

    /// Takes a message, and waits while the viewer has not taken those before it.
    ///
    /// - Returns: Whether the viewer still wants any.
    func take(_ body: [UInt8]) async -> Bool {
        await channel.send(events(of: body))
    }

    /// What a message means: nothing when it was here before.
    func events(of body: [UInt8]) -> [BroadcastEvent] {
        let record: LogRecord
        do throws(LogBroadcastError) {
            record = try LogRecord(json: body)
        } catch {
            return [.foreign(body)]
        }
        switch missed.withLock({ $0.note(record) }) {
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
