import CivilTime
import Synchronization

/// This host's clock, set by what a store said its own is: a store refuses requests that are signed 15 minutes off.
final class StoreClock: Sendable {
    private let local: @Sendable () -> UTCTime
    private let microsecondsAhead = Mutex<Int64>(0)

    init(_ local: @escaping @Sendable () -> UTCTime) { self.local = local }

    /// The store's time, as far as it is known.
    var now: UTCTime { UTCTime(microseconds: local().microseconds - microsecondsAhead.withLock { $0 }) }

    /// How many seconds this host's clock is ahead of the store's; negative when behind.
    var secondsAhead: Int64 { microsecondsAhead.withLock { $0 } / 1_000_000 }

    /// Learns the store's time from an answer's `Date`.
    ///
    /// - Returns: How many seconds this host is ahead; `nil` when the answer tells no time, or nothing new.
    func learn(from date: String?) -> Int64? {
        guard let date, let theirs = UTCTime(httpDate: date) else { return nil }
        let ahead = local().microseconds - theirs.microseconds
        return microsecondsAhead.withLock { known in
            // Less could not have been the reason for a refusal.
            guard abs(ahead - known) > 60_000_000 else { return nil }
            known = ahead
            return ahead / 1_000_000
        }
    }
}
