/// A text that obeys the rules of its type, so that it can be put into a configuration as it stands.
public protocol CheckedText: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// Creates the value, or returns nil when `text` breaks a rule.
    init?(validating text: String)
}

extension CheckedText {
    /// Creates the value from a literal in source code; a literal that breaks a rule is a mistake of the programmer's.
    public init(stringLiteral literal: String) {
        guard let checked = Self(validating: literal) else {
            preconditionFailure("'\(literal)' is no \(Self.self)")
        }
        self = checked
    }
}

extension String {
    /// Whether this is 1 to 64 ASCII letters, digits, `_` and `-`, and does not begin with `-`.
    ///
    /// The bytes are looked at, not the characters: to Swift `e` and a combining accent are one letter.
    var isIdentifier: Bool {
        guard (1...64).contains(utf8.count), utf8.first != UInt8(ascii: "-") else { return false }
        return utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }
}

extension UInt8 {
    var isDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= self }

    var isLetterOrDigit: Bool {
        isDigit || UInt8(ascii: "a")...UInt8(ascii: "z") ~= self | 0x20 && self < 0x80
    }
}
