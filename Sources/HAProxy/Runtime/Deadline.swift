internal import Glibc

/// A moment by which something has to be done.
struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant
    /// How long was allowed, for errors.
    let limit: Duration

    init(in limit: Duration) {
        self.limit = limit
        instant = ContinuousClock.now + limit
    }

    var hasPassed: Bool { ContinuousClock.now >= instant }

    /// What is left, never negative.
    var remaining: Duration { max(.zero, instant - ContinuousClock.now) }

    /// What is left in whole milliseconds, rounded up, as `poll` takes it.
    var pollTimeout: Int32 {
        let (seconds, attoseconds) = remaining.components
        let milliseconds = min(seconds, 1_000_000) * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return Int32(milliseconds)
    }

    /// What is left, as a socket option takes it; at least a microsecond, since zero means no limit there.
    var socketTimeout: timeval {
        let (seconds, attoseconds) = remaining.components
        return timeval(
            tv_sec: Int(min(seconds, 1_000_000)),
            tv_usec: max(Int(attoseconds / 1_000_000_000_000), seconds > 0 ? 0 : 1))
    }
}
