/// A length of time as people write it: `5ms`, `30s`, `1.5s`, `2m`, `1h`.
package struct TimeSpan: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// How long it is, in whole microseconds.
    package let duration: Duration

    private static let units: [(name: String, microseconds: Int)] = [
        ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000), ("us", 1),
    ]

    /// Creates a length of time.
    ///
    /// - Parameter duration: How long it is; parts of a microsecond do not count.
    package init(_ duration: Duration) { self.duration = .microseconds(Self.microseconds(duration)) }

    /// Reads a number, with at most three decimals, and a unit: `us`, `ms`, `s`, `m` or `h`.
    ///
    /// Without one it is seconds.
    ///
    /// - Parameter text: The length; a space may stand before the unit.
    package init?(_ text: some StringProtocol) {
        let number = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
        guard let factor = unit.isEmpty ? 1_000_000 : Self.units.first(where: { $0.name == unit })?.microseconds
        else { return nil }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }), let whole = Int32(parts[0])
        else { return nil }
        var microseconds = Int(whole) * factor
        if parts.count == 2 {
            guard parts[1].count <= 3, let digits = Int(parts[1]) else { return nil }
            let scale = [10, 100, 1000][parts[1].count - 1]
            guard (digits * factor).isMultiple(of: scale) else { return nil }
            microseconds += digits * factor / scale
        }
        duration = .microseconds(microseconds)
    }

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

/// How long a command waits at its end for what is not handed on yet.
package enum Linger: Sendable, Hashable, CustomStringConvertible {
    /// At most so long.
    case atMost(TimeSpan)
    /// Until all is handed on, or a second signal ends it.
    case forever

    /// Reads a length of time, or `forever`.
    ///
    /// - Parameter text: As ``TimeSpan`` reads it; `-1` is `forever` too.
    package init?(_ text: String) {
        if text.lowercased() == "forever" || text == "-1" {
            self = .forever
        } else if let span = TimeSpan(text) {
            self = .atMost(span)
        } else {
            return nil
        }
    }

    /// The limit; nil for none.
    package var limit: Duration? {
        switch self {
        case .atMost(let span): span.duration
        case .forever: nil
        }
    }

    /// As ``init(_:)`` reads it.
    package var description: String {
        switch self {
        case .atMost(let span): span.description
        case .forever: "forever"
        }
    }
}
