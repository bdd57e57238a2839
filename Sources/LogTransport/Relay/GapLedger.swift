/// How many lines are missing up to a number, of numbers that are asked for in ascending order.
struct GapLedger {
    private var ahead: [(number: UInt64, count: UInt64)] = []
    private var passed: UInt64 = 0

    /// Writes down that `count` lines are missing, the last of which has this number, above all written down before.
    mutating func add(_ count: UInt64, through number: UInt64) {
        ahead.append((number, count))
    }

    /// How many lines that are missing have a number up to and with this one.
    mutating func missing(through number: UInt64) -> UInt64 {
        while let gap = ahead.first, gap.number <= number {
            passed += gap.count
            ahead.removeFirst()
        }
        return passed
    }
}
