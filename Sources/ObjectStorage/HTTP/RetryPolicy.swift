/// When a request to a store is tried again: after pauses that double, each shortened by chance ("full jitter", so that
/// many who failed together do not return together), until an attempt succeeds or the time is up.
public struct RetryPolicy: Sendable, Hashable {
    /// How often a request is tried at most.
    public var attempts: Int
    /// The longest pause before the second attempt; it doubles with each one.
    public var firstPause: Duration
    /// The longest pause of all.
    public var longestPause: Duration
    /// How long a request may take, with all its attempts and pauses.
    public var deadline: Duration

    /// Describes a policy.
    public init(
        attempts: Int = 8, firstPause: Duration = .milliseconds(100), longestPause: Duration = .seconds(5),
        deadline: Duration = .seconds(60)
    ) {
        self.attempts = attempts
        self.firstPause = firstPause
        self.longestPause = longestPause
        self.deadline = deadline
    }

    /// How long the pause behind an attempt is at most.
    ///
    /// - Parameter attempt: The attempt that failed, from 1.
    /// - Returns: What the pause is taken from by chance.
    func longestPause(behind attempt: Int) -> Duration {
        min(longestPause, firstPause * (1 << min(max(attempt - 1, 0), 30)))
    }

    /// How long to pause behind an attempt.
    func pause(behind attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let longest = longestPause(behind: attempt) / .nanoseconds(1)
        return .nanoseconds(Int64(Double.random(in: 0...max(longest, 1), using: &generator)))
    }
}
