import CivilTime

/// The names of messages in the legacy layout: their times, so that they sort as these do.
///
/// A format without microseconds gets `-` and six digits of them behind it, and a name on a store that does not keep one
/// writer from replacing what another one wrote gets `-` and eight digits of chance.
struct LegacyNames: Sendable {
    private let format: TimeFormat
    private let hasMicroseconds: Bool

    /// Checks that names will sort as times do.
    ///
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    init(_ format: TimeFormat) throws(MessageLogError) {
        self.format = format
        let start = Self.samples[1]
        hasMicroseconds = format.text(of: start) != format.text(of: UTCTime(microseconds: start.microseconds + 1))
        let names = Self.samples.map(name)
        let isSorted = zip(names, names.dropFirst()).allSatisfy { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        guard isSorted, names[0].utf8.allSatisfy({ 0x21...0x7e ~= $0 && $0 != UInt8(ascii: "/") }),
            zip(names, Self.samples).allSatisfy({ time(of: $0) == $1 })
        else {
            throw MessageLogError(
                .invalidArgument,
                "messages cannot be named after '\(format)': the names have to sort as the times do, to the second at "
                    + "least, and to be of ASCII without '/' or space; the usual is '\(TimeFormat.standard)'")
        }
    }

    /// Times in order, in each of which another part of the one before rolls over.
    private static let samples: [UTCTime] = [
        "2001-12-31T23:59:59.999999", "2002-01-01T00:00:00.000000", "2009-09-09T09:09:09.000009",
        "2009-09-09T09:09:09.000010", "2009-09-09T09:09:10.000000", "2009-09-09T09:10:00.000000",
        "2009-09-09T10:00:00.000000", "2009-09-10T00:00:00.000000", "2009-10-01T00:00:00.000000",
        "2010-01-01T00:00:00.000000", "2010-12-31T13:00:00.000000",
    ].compactMap { UTCTime($0) }

    /// The name of a message of that time.
    func name(of time: UTCTime) -> String {
        let text = format.text(of: time)
        guard !hasMicroseconds else { return text }
        let part = time.microseconds % 1_000_000
        let digits = String(part < 0 ? part + 1_000_000 : part)
        return text + "-" + String(repeating: "0", count: 6 - digits.utf8.count) + digits
    }

    /// The name of a message of that time where no name may be used twice and the store does not see to it.
    func name(of time: UTCTime, chance: UInt32) -> String {
        let digits = String(chance, radix: 16)
        return name(of: time) + "-" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }

    /// The time in a name, be it from here or from the old library; `nil` when it is not a message's.
    func time(of name: some StringProtocol) -> UTCTime? {
        let name = String(name)
        if let time = plainTime(of: name) { return time }
        guard let dash = name.utf8.lastIndex(of: UInt8(ascii: "-")) else { return nil }
        let suffix = name.utf8[dash...].dropFirst()
        guard suffix.count == 8, suffix.allSatisfy(Self.isHexadecimal) else { return nil }
        return plainTime(of: String(name[..<dash]))
    }

    private func plainTime(of name: String) -> UTCTime? {
        // Python's isoformat() leaves out microseconds that are 0.
        if let time = format.time(in: name) ?? (format == .standard && name.utf8.count == 19 ? UTCTime(name) : nil) {
            return time
        }
        guard !hasMicroseconds, let dash = name.utf8.lastIndex(of: UInt8(ascii: "-")),
            let time = format.time(in: String(name[..<dash]))
        else { return nil }
        let digits = name.utf8[dash...].dropFirst()
        guard digits.count == 6, digits.allSatisfy({ 48...57 ~= $0 }) else { return nil }
        return UTCTime(microseconds: time.microseconds + digits.reduce(0) { $0 * 10 + Int64($1) - 48 })
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        48...57 ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
    }
}
