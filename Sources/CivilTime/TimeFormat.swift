/// How moments are written as text: the directives of strftime(3), as Python's `datetime.strftime` knows them.
///
/// | Directive | Meaning |
/// |---|---|
/// | `%Y` `%m` `%d` | year (four digits), month, day |
/// | `%H` `%M` `%S` | hour (00 to 23), minute, second |
/// | `%f` | microseconds, six digits |
/// | `%j` `%y` | day of the year (three digits), year without its century |
/// | `%F` `%T` | `%Y-%m-%d`, `%H:%M:%S` |
/// | `%b` `%a` | month and weekday in English, three letters |
/// | `%s` | seconds since 1970 |
/// | `%z` `%Z` | `+0000`, `UTC` |
/// | `%%` | `%` |
///
/// All of it is in UTC.
public struct TimeFormat: Sendable, Hashable, CustomStringConvertible {
    /// The format as it was given.
    public let description: String
    private let parts: [Part]

    private enum Part: Hashable {
        case text(String)
        case directive(Unicode.Scalar)
    }

    /// ISO 8601 with microseconds and without a zone: `%Y-%m-%dT%H:%M:%S.%f`.
    public static let standard = TimeFormat(
        description: "%Y-%m-%dT%H:%M:%S.%f",
        parts: [
            .directive("Y"), .text("-"), .directive("m"), .text("-"), .directive("d"), .text("T"), .directive("H"),
            .text(":"), .directive("M"), .text(":"), .directive("S"), .text("."), .directive("f"),
        ])

    private init(description: String, parts: [Part]) {
        self.description = description
        self.parts = parts
    }

    /// What is wrong with a format.
    public struct Fault: Error, Sendable, CustomStringConvertible {
        /// What it is, in words.
        public let description: String
    }

    /// Reads a format.
    ///
    /// - Throws: ``Fault`` for a directive that is not known.
    public init(_ text: String) throws(Fault) {
        var parts: [Part] = []
        var plain = ""
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "%" else {
                plain.unicodeScalars.append(scalar)
                continue
            }
            guard let directive = rest.popFirst() else { throw Fault(description: "it ends with a single '%'") }
            switch directive {
            case "%": plain += "%"
            case "F", "T":
                if !plain.isEmpty { parts.append(.text(plain)) }
                plain = ""
                parts += Self.expanded(directive)
            case "Y", "m", "d", "H", "M", "S", "f", "j", "y", "b", "a", "s", "z", "Z":
                if !plain.isEmpty { parts.append(.text(plain)) }
                plain = ""
                parts.append(.directive(directive))
            default:
                throw Fault(
                    description: "'%\(directive.escaped(asASCII: false))' is none of "
                        + "%Y %m %d %H %M %S %f %j %y %F %T %b %a %s %z %Z %%")
            }
        }
        if !plain.isEmpty { parts.append(.text(plain)) }
        description = text
        self.parts = parts
    }

    private static func expanded(_ directive: Unicode.Scalar) -> [Part] {
        directive == "F"
            ? [.directive("Y"), .text("-"), .directive("m"), .text("-"), .directive("d")]
            : [.directive("H"), .text(":"), .directive("M"), .text(":"), .directive("S")]
    }

    /// Writes a moment.
    public func text(of time: UTCTime) -> String {
        let fields = time.fields
        var text = ""
        for part in parts {
            switch part {
            case .text(let plain): text += plain
            case .directive(let directive): Self.append(directive, of: fields, to: &text)
            }
        }
        return text
    }

    private static func append(_ directive: Unicode.Scalar, of fields: UTCTime.Fields, to text: inout String) {
        func number(_ value: Int, _ width: Int) {
            let digits = String(value)
            text += String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        switch directive {
        case "Y": number(fields.year, 4)
        case "m": number(fields.month, 2)
        case "d": number(fields.day, 2)
        case "H": number(fields.hour, 2)
        case "M": number(fields.minute, 2)
        case "S": number(fields.second, 2)
        case "f": number(fields.microsecond, 6)
        case "j": number(fields.dayOfYear, 3)
        case "y": number(fields.year % 100, 2)
        case "b": text += months[fields.month - 1]
        case "a": text += weekdays[fields.weekday]
        case "s": text += String(fields.seconds)
        case "z": text += "+0000"
        default: text += "UTC"
        }
    }

    /// Reads a moment that ``text(of:)`` or another program wrote with this format; `nil` when it is none.
    ///
    /// What the format does not tell is that of 1970-01-01T00:00:00.
    public func time(in text: String) -> UTCTime? {
        var reading = Reading(rest: text.unicodeScalars[...])
        for part in parts {
            switch part {
            case .text(let plain): guard reading.skip(plain) else { return nil }
            case .directive(let directive): guard reading.read(directive) else { return nil }
            }
        }
        return reading.rest.isEmpty ? reading.time : nil
    }

    /// A moment that is being read.
    private struct Reading {
        var rest: Substring.UnicodeScalarView
        private var year = 1970
        private var month = 1
        private var day = 1
        private var dayOfYear: Int?
        private var seconds = 0
        private var epoch: Int?
        private var microsecond = 0

        init(rest: Substring.UnicodeScalarView) { self.rest = rest }

        var time: UTCTime? {
            let days = UTCTime.days(year: year, month: dayOfYear == nil ? month : 1, day: dayOfYear ?? day)
            let total = epoch ?? (days * 86_400 + seconds)
            return UTCTime(microseconds: Int64(total) * 1_000_000 + Int64(microsecond))
        }

        mutating func skip(_ text: String) -> Bool {
            guard rest.starts(with: text.unicodeScalars) else { return false }
            rest = rest.dropFirst(text.unicodeScalars.count)
            return true
        }

        private mutating func number(_ width: Int, _ range: ClosedRange<Int>) -> Int? {
            let digits = rest.prefix(width)
            guard digits.count == width, digits.allSatisfy({ ("0"..."9").contains($0) }),
                let value = Int(String(digits)),
                range.contains(value)
            else { return nil }
            rest = rest.dropFirst(width)
            return value
        }

        private mutating func name(_ names: [String]) -> Int? {
            let found = names.firstIndex { rest.starts(with: $0.unicodeScalars) }
            if found != nil { rest = rest.dropFirst(3) }
            return found
        }

        mutating func read(_ directive: Unicode.Scalar) -> Bool {
            func set(_ value: Int?, _ body: (Int) -> Void) -> Bool {
                value.map(body) != nil
            }
            switch directive {
            case "Y": return set(number(4, 0...9999)) { year = $0 }
            case "y": return set(number(2, 0...99)) { year = $0 < 69 ? 2000 + $0 : 1900 + $0 }
            case "m": return set(number(2, 1...12)) { month = $0 }
            case "d": return set(number(2, 1...31)) { day = $0 }
            case "j": return set(number(3, 1...366)) { dayOfYear = $0 }
            case "H": return set(number(2, 0...23)) { seconds += $0 * 3600 }
            case "M": return set(number(2, 0...59)) { seconds += $0 * 60 }
            case "S": return set(number(2, 0...60)) { seconds += $0 }
            case "f": return set(number(6, 0...999_999)) { microsecond = $0 }
            case "b": return set(name(months)) { month = $0 + 1 }
            case "a": return name(weekdays) != nil
            case "s":
                let digits = String(rest.prefix { ("0"..."9").contains($0) || $0 == "-" })
                rest = rest.dropFirst(digits.unicodeScalars.count)
                return set(Int(digits).flatMap { (-1 << 40...1 << 40).contains($0) ? $0 : nil }) { epoch = $0 }
            case "z": return skip("+0000")
            default: return skip("UTC")
            }
        }
    }
}

private let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
private let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
