/// A set of the bytes that one kind of text may be made of.
struct ByteClass: Sendable {
    /// Four words of bits, one bit for each byte value.
    private let low: UInt64
    private let high: UInt64
    /// Whether bytes from 0x80 up are in it.
    private let acceptsNonASCII: Bool
    /// What an error says of it.
    private let expectation: String

    init(_ expectation: String, acceptsNonASCII: Bool = false, where isMember: (UInt8) -> Bool) {
        var bits: (low: UInt64, high: UInt64) = (0, 0)
        for byte in UInt8(0)..<128 where isMember(byte) {
            if byte < 64 { bits.low |= 1 << UInt64(byte) } else { bits.high |= 1 << UInt64(byte - 64) }
        }
        (low, high) = bits
        self.acceptsNonASCII = acceptsNonASCII
        self.expectation = expectation
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return acceptsNonASCII }
        return ((byte < 64 ? low : high) >> UInt64(byte & 63)) & 1 == 1
    }

    /// Throws unless every byte of `text` is in this class and their number is right.
    func check(
        _ text: String, as what: @autoclosure () -> String, upTo limit: Int, orEmpty: Bool = false
    ) throws(HAProxyError) {
        var count = 0
        for byte in text.utf8 {
            guard contains(byte) else {
                throw HAProxyError(
                    .invalidValue, "\(quoted(text)) cannot be \(what()): it may have \(expectation) only")
            }
            count += 1
        }
        guard count > 0 || orEmpty else { throw HAProxyError(.invalidValue, "\(what()) is empty") }
        guard count <= limit else {
            throw HAProxyError(
                .invalidValue, "\(what()) has \(count) bytes, above the limit of \(limit): \(quoted(text))")
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }

    private static func isPrintable(_ byte: UInt8) -> Bool { (0x21...0x7e).contains(byte) }

    static let word = ByteClass("printable ASCII without spaces, quotes and any of \\ # $ { }") { byte in
        isPrintable(byte) && !##""'\#${}"##.utf8.contains(byte)
    }

    static let comment = ByteClass("no control characters", acceptsNonASCII: true) { byte in
        byte >= 0x20 && byte != 0x7f
    }

    /// What `invalid_char` of HAProxy's `tools.c` lets pass.
    static let name = ByteClass("letters, digits, '-', '_', '.' and ':'") { byte in
        isAlphanumeric(byte) || "-_.:".utf8.contains(byte)
    }

    static let hostName = ByteClass("letters, digits, '-', '_' and '.'") { byte in
        isAlphanumeric(byte) || "-_.".utf8.contains(byte)
    }

    static let requestPath = ByteClass("what a URL's path and query may contain, without a single quote") { byte in
        isAlphanumeric(byte) || "-._~!$&()*+,;=:@/?%".utf8.contains(byte)
    }

    /// What a Runtime API command may be made of: `;` and a line's end separate commands, a backslash escapes.
    static let command = ByteClass("printable ASCII and spaces without ';' and '\\'") { byte in
        (0x20...0x7e).contains(byte) && byte != UInt8(ascii: ";") && byte != UInt8(ascii: "\\")
    }

    /// A whole rendered line, comments apart.
    static let line = ByteClass("printable ASCII and single spaces") { byte in (0x20...0x7e).contains(byte) }
}

/// A text for an error: what cannot be printed is escaped, and a long one is cut.
func quoted(_ text: String) -> String {
    var result = "'"
    for scalar in text.unicodeScalars.prefix(80) {
        result += scalar.value < 0x20 || scalar.value == 0x7f ? scalar.escaped(asASCII: true) : String(scalar)
    }
    return result + (text.unicodeScalars.count > 80 ? "…'" : "'")
}
