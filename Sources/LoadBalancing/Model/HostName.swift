/// A host name; whether it resolves is not known here.
///
/// At most 253 bytes of labels separated by dots (one more may end the name), each 1 to 63 ASCII letters, digits, `_` and `-` that neither begin nor
/// end with `-` (RFC 1123 section 2.1, and the underscore that many networks use). The last label may not be a number:
/// `10.0.1` or `0x7f.1` would be read as an IPv4 address by the system.
public struct HostName: CheckedText {
    /// The name as it was given.
    public let description: String

    /// Creates the value, or returns nil when `text` is not the form of a host name.
    public init?(validating text: String) {
        guard (1...253).contains(text.utf8.count) else { return nil }
        let name = text.utf8.last == UInt8(ascii: ".") ? text.utf8.dropLast() : text.utf8[...]
        let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.allSatisfy(Self.isLabel), let last = labels.last, !Self.isNumber(last) else { return nil }
        description = text
    }

    private static func isLabel(_ label: Substring.UTF8View) -> Bool {
        (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            && label.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }

    private static func isNumber(_ label: Substring.UTF8View) -> Bool {
        let isHexadecimal =
            label.count > 1 && label.first == UInt8(ascii: "0")
            && label.dropFirst().first?.asciiLowercase == UInt8(ascii: "x")
        return isHexadecimal || label.allSatisfy(\.isDigit)
    }
}
