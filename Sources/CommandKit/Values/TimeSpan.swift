/// A length of time as people write it: `5ms`, `30s`, `1.5s`, `2m`, `1h`, `7d`.
package struct TimeSpan: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// How long it is, in whole microseconds.
    package let duration: Duration

    private static let units: [(name: String, microseconds: Int)] = [
        ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000), ("us", 1),
    ]

    /// Creates a length of time.
    ///
    /// - Parameter duration: How long it is; parts of a microsecond do not count.
    package init(_ duration: Duration) { self.duration = .microseconds(Self.microseconds(duration)) }

    /// Reads a number, with at most three decimals, and a unit: `us`, `ms`, `s`, `m`, `h` or `d`.
    ///
    /// Without one it is seconds. More than a hundred years is refused.
    ///
    /// - Parameter text: The length; a space may stand before the unit.
    package init?(_ text: some StringProtocol) {
        let number = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
        guard let factor = unit.isEmpty ? 1_000_000 : Self.units.first(where: { $0.name == unit })?.microseconds
        else { return nil }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }), let whole = Int(parts[0])
        else { return nil }
        var (microseconds, isOverflow) = Int(whole).multipliedReportingOverflow(by: factor)
        guard !isOverflow else { return nil }
        if parts.count == 2 {
            guard parts[1].count <= 3, let digits = Int(parts[1]) else { return nil }
            let scale = [10, 100, 1000][parts[1].count - 1]
            guard (digits * factor).isMultiple(of: scale) else { return nil }
            (microseconds, isOverflow) = microseconds.addingReportingOverflow(digits * factor / scale)
            guard !isOverflow else { return nil }
        }
        guard microseconds <= Self.most else { return nil }
        duration = .microseconds(microseconds)
    }

    /// A hundred years of 365 days, in microseconds: more is a slip of the pen.
    private static let most = 36_500 * 86_400_000_000

    package static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.duration < right.duration }

    /// In the largest unit that gives a whole number: `30s`, `1500ms`.
    package var description: String {
        let microseconds = Self.microseconds(duration)
        guard microseconds > 0 else { return "0s" }
        for unit in Self.units where microseconds.isMultiple(of: unit.microseconds) {
            return "\(microseconds / unit.microseconds)\(unit.name)"
        }
        return "0s"
    }

    private static func microseconds(_ duration: Duration) -> Int {
        Int(duration.components.seconds) * 1_000_000 + Int(duration.components.attoseconds / 1_000_000_000_000)
    }
}
