internal import Glibc

/// A moment, in microseconds since 1970 UTC; written `2026-10-17 08:30:00.000000`.
public struct UTCTime: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Microseconds since the beginning of 1970, leap seconds not counted.
    public let microseconds: Int64

    /// Creates a moment.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// This moment, by the clock of the machine.
    public static var now: UTCTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UTCTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// Whether `left` is earlier.
    public static func < (left: UTCTime, right: UTCTime) -> Bool { left.microseconds < right.microseconds }

    /// The moment as `YYYY-MM-DD HH:MM:SS.ffffff`.
    public var description: String {
        let (seconds, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        // Before 1970 the fraction counts backwards.
        var time = time_t(fraction < 0 ? seconds - 1 : seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        let date = [parts.tm_mon + 1, parts.tm_mday].map { digits(Int64($0), 2) }
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { digits(Int64($0), 2) }
        let year = digits(Int64(parts.tm_year) + 1900, 4)
        return
            "\(year)-\(date.joined(separator: "-")) \(clock.joined(separator: ":")).\(digits((fraction + 1_000_000) % 1_000_000, 6))"
    }
}

private func digits(_ value: Int64, _ count: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, count - text.count)) + text
}
