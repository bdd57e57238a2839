/// How often a handler that throws gets the same message again, and when.
///
/// The pauses grow from one to the next by a factor, up to a maximum; chance shortens each, so that consumers that failed
/// together do not come back together.
public struct HandlerRetry: Sendable, Hashable {
    /// How often the handler is run with a message at most, the first time counted; 1 or more.
    public var attempts: Int
    /// The pause after the first failure.
    public var firstPause: Duration
    /// By how much a pause is longer than the one before; 1 or more.
    public var factor: Double
    /// The longest pause.
    public var longestPause: Duration
    /// By what part of itself chance shortens a pause at most, 0 to 1.
    public var jitter: Double

    /// Describes attempts and pauses: by default 5 attempts, with 0.1, 0.4, 1.6 and 6.4 s between them, less up to a half.
    public init(
        attempts: Int = 5, firstPause: Duration = .milliseconds(100), factor: Double = 4,
        longestPause: Duration = .seconds(60), jitter: Double = 0.5
    ) {
        self.attempts = attempts
        self.firstPause = firstPause
        self.factor = factor
        self.longestPause = longestPause
        self.jitter = jitter
    }

    /// One attempt, and no other.
    public static let never = HandlerRetry(attempts: 1)

    /// How long to wait when so many attempts have failed, in whole milliseconds; chance is 0 to 1.
    func pause(after failures: Int, chance: Double = .random(in: 0...1)) -> Duration {
        // The pauses stay below a day, so that no factor makes them more than a Duration holds.
        let longest = min(longestPause, .seconds(86_400)).seconds
        var pause = min(firstPause.seconds, longest)
        for _ in 1..<max(failures, 1) {
            let longer = min(pause * factor, longest)
            if longer == pause { break }
            pause = longer
        }
        return .milliseconds(Int64((pause * (1 - chance * jitter) * 1000).rounded()))
    }

    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    func check() throws(MessageLogError) {
        guard attempts >= 1, firstPause >= .zero, longestPause >= .zero, factor >= 1, 0...1 ~= jitter else {
            throw MessageLogError(
                .invalidArgument,
                "a handler is tried \(attempts) times with pauses from \(firstPause) to \(longestPause), factor \(factor), "
                    + "jitter \(jitter): there has to be 1 attempt or more, no pause below 0, a factor of 1 or more, "
                    + "and jitter from 0 to 1")
        }
    }
}

extension Duration {
    /// The duration in seconds.
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
