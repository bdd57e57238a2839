import Glibc

/// A moment in UTC with microseconds; written `2026-11-21T01:23:45.678901Z` (RFC 3339).
public struct UTCTime: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    public let microseconds: Int64

    /// Creates a moment.
    ///
    /// - Parameter microseconds: Microseconds since 1970-01-01T00:00:00Z; what is before the year 0 becomes its first moment,
    ///   and what is behind the year 9999 its last one, as all moments can be written.
    public init(microseconds: Int64) { self.microseconds = min(max(microseconds, Self.least), Self.most) }

    /// All moments: those of the years 0 to 9999.
    public static let range = UTCTime(microseconds: least)...UTCTime(microseconds: most)

    private static let least: Int64 = -62_167_219_200_000_000
    private static let most: Int64 = 253_402_300_799_999_999

    /// The moment this is called.
    public static var now: UTCTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UTCTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// Whether one is before the other.
    public static func < (left: UTCTime, right: UTCTime) -> Bool { left.microseconds < right.microseconds }

    /// Reads a moment as RFC 3339 writes it, with any number of decimals and any offset; nil when it is none.
    ///
    /// What has no offset is taken for UTC, and a space for the `T`: Python's `isoformat()` and `str()` write such.
    public init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        func digits(_ count: Int) -> Int? {
            guard rest.count >= count, rest.prefix(count).allSatisfy({ 48...57 ~= $0 }) else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reduce(0) { $0 * 10 + Int($1) - 48 }
        }
        func skip(_ characters: Unicode.Scalar...) -> Bool {
            guard let first = rest.first, characters.contains(Unicode.Scalar(first)) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = digits(4), skip("-"), let month = digits(2), (1...12).contains(month), skip("-"),
            let day = digits(2), (1...31).contains(day), skip("T", "t", " "),
            let hour = digits(2), hour < 24, skip(":"), let minute = digits(2), minute < 60, skip(":"),
            let second = digits(2), second <= 60
        else { return nil }
        var fraction: Int64 = 0
        if skip(".", ",") {
            let decimals = rest.prefix { 48...57 ~= $0 }
            guard !decimals.isEmpty else { return nil }
            let six = decimals.prefix(6) + Array(repeating: 48, count: max(0, 6 - decimals.count))
            fraction = six.reduce(0) { $0 * 10 + Int64($1) - 48 }
            rest = rest.dropFirst(decimals.count)
        }
        var offset = 0
        if !rest.isEmpty, !(skip("Z", "z") && rest.isEmpty) {
            let isEast = rest.first == UInt8(ascii: "+")
            guard skip("+", "-"), let hours = digits(2), hours < 24 else { return nil }
            _ = skip(":")
            guard let minutes = digits(2), minutes < 60, rest.isEmpty else { return nil }
            offset = (hours * 60 + minutes) * (isEast ? 60 : -60)
        }
        let days = Self.days(year: year, month: month, day: day)
        guard Self.civil(fromDays: days) == (year, month, day) else { return nil }
        let seconds = Int64(days * 86_400 + hour * 3600 + minute * 60 + second - offset)
        self.init(microseconds: seconds * 1_000_000 + fraction)
    }

    /// The moment as RFC 3339 writes it, with six decimals and `Z`.
    public var description: String { text(separator: "T", end: "Z") }

    /// The moment as `2026-11-21 01:23:45.678901`.
    public var spaced: String { text(separator: " ", end: "") }

    /// The moment as Python's `isoformat()` writes it, without a zone: `2026-11-21T01:23:45.678901`.
    public var withoutZone: String { text(separator: "T", end: "") }

    private func text(separator: Unicode.Scalar, end: String) -> String {
        let fields = fields
        var bytes: [UInt8] = []
        bytes.reserveCapacity(27)
        func append(_ number: Int, _ width: Int, _ end: Unicode.Scalar?) {
            var divisor = 1
            for _ in 1..<width { divisor *= 10 }
            while divisor > 0 {
                bytes.append(48 + UInt8(number / divisor % 10))
                divisor /= 10
            }
            if let end { bytes.append(UInt8(ascii: end)) }
        }
        append(fields.year, 4, "-")
        append(fields.month, 2, "-")
        append(fields.day, 2, separator)
        append(fields.hour, 2, ":")
        append(fields.minute, 2, ":")
        append(fields.second, 2, ".")
        append(fields.microsecond, 6, nil)
        return String(decoding: bytes, as: UTF8.self) + end
    }

    /// The parts of a moment, as a calendar and a clock show them.
    struct Fields {
        var year, month, day, hour, minute, second, microsecond: Int
        /// 1 for the first of January.
        var dayOfYear: Int
        /// Days since a Thursday, 0 to 6.
        var weekday: Int
        /// Seconds since 1970-01-01T00:00:00Z.
        var seconds: Int64
    }

    /// The moment's parts.
    var fields: Fields {
        let (seconds, fraction) = divided(microseconds, by: 1_000_000)
        let (days, time) = divided(seconds, by: 86_400)
        let (year, month, day) = Self.civil(fromDays: Int(days))
        return Fields(
            year: year, month: month, day: day, hour: Int(time) / 3600, minute: Int(time) / 60 % 60,
            second: Int(time) % 60, microsecond: Int(fraction),
            dayOfYear: Int(days) - Self.days(year: year, month: 1, day: 1) + 1,
            weekday: Int(divided(days, by: 7).1), seconds: seconds)
    }

    /// Days since 1970-01-01 of a date in the Gregorian calendar.
    ///
    /// Years are counted from March here, so that the leap day is a year's last; 400 of them have 146,097 days.
    static func days(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month <= 2 ? year - 1 : year
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date of a day since 1970-01-01; the inverse of ``days(year:month:day:)``.
    private static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}

/// The quotient towards minus infinity, and the remainder, which is never negative.
private func divided(_ number: Int64, by divisor: Int64) -> (Int64, Int64) {
    let quotient = (number >= 0 ? number : number - divisor + 1) / divisor
    return (quotient, number - quotient * divisor)
}
