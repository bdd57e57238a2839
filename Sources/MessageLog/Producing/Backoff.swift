/// The pauses between attempts that fail: they double up to a maximum, and chance shortens each by up to a half.
struct Backoff {
    private let maximum: Duration
    private var pause: Duration

    init(_ pauses: ClosedRange<Duration>) {
        pause = pauses.lowerBound
        maximum = pauses.upperBound
    }

    /// The next pause, longer than the one before unless it is the longest already.
    mutating func next(chance: Double = .random(in: 0...1)) -> Duration {
        defer { pause = min(pause * 2, maximum) }
        return pause * (1 - chance / 2)
    }
}
