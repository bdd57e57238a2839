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

    /// What a refusal tells of time.
    enum Lesson {
        /// Nothing: the request was signed with the store's time, as near as matters.
        case none
        /// It was signed with another one, and how far this host is off has been learnt since.
        case known
        /// It was signed with another one, and that is learnt now.
        case new
    }

    /// Learns the store's time from an answer's `Date`.
    ///
    /// - Parameters:
    ///   - date: The answer's `Date`.
    ///   - signed: The time with which the request was signed: another request may have learnt meanwhile, and this host's
    ///     clock may step at any time.
    /// - Returns: What it tells.
    func learn(from date: String?, signed: UTCTime) -> Lesson {
        guard let date, let theirs = UTCTime(httpDate: date), Self.areApart(signed.microseconds, theirs.microseconds)
        else { return .none }
        let ahead = local().microseconds - theirs.microseconds
        return microsecondsAhead.withLock { known in
            guard Self.areApart(ahead, known) else { return .known }
            known = ahead
            return .new
        }
    }

    /// Whether times are so far apart that it may be the reason for a refusal.
    private static func areApart(_ one: Int64, _ other: Int64) -> Bool { abs(one - other) > 60_000_000 }
}
