/// How fast a count grows, seen over the last second.
package struct RateMeter {
    private var seen: [(count: UInt64, time: ContinuousClock.Instant)] = []

    /// Begins with nothing seen.
    package init() {}

    /// Takes in a count, and tells how much it has grown a second.
    ///
    /// - Parameters:
    ///   - count: The count.
    ///   - time: When it was that.
    /// - Returns: The rate since about a second ago; 0 at first.
    package mutating func add(_ count: UInt64, at time: ContinuousClock.Instant) -> UInt64 {
        seen.append((count, time))
        while seen.count > 2, seen[1].time.duration(to: time) >= .seconds(1) { seen.removeFirst() }
        let since = seen[0].time.duration(to: time)
        guard since > .zero, count >= seen[0].count else { return 0 }
        return UInt64(Double(count - seen[0].count) / (since / .seconds(1)))
    }
}
