import Glibc

/// The time that consumers go by, so that tests can have one of their own.
struct ConsumerClock: Sendable {
    /// Time that only goes on, from any beginning.
    let now: @Sendable () -> Duration
    /// Waits; throws when the task is cancelled.
    let sleep: @Sendable (Duration) async throws -> Void

    /// Waits.
    ///
    /// - Throws: ``MessageLogError`` with the code `cancelled`.
    func pause(_ duration: Duration) async throws(MessageLogError) {
        do {
            try await sleep(duration)
        } catch {
            throw MessageLogError(.cancelled, "the task that waited was cancelled")
        }
    }

    /// The system's: its tick of some milliseconds is enough here, and costs a fifth of the exact time, which counts
    /// where it is asked for with each message.
    static let system = ConsumerClock(
        now: {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        },
        sleep: { try await Task.sleep(for: $0) })
}
