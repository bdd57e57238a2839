/// The path that an HTTP health check asks a node for.
///
/// At most 1,024 bytes of printable ASCII without space, quotation marks, backslash and `#`, beginning with `/`.
public struct CheckPath: CheckedText {
    /// The path, with its leading `/`.
    public let description: String

    /// Creates the value, with a leading `/` added where it lacks, or returns nil when `text` has another character.
    public init?(validating text: String) {
        let path = text.utf8.first == UInt8(ascii: "/") ? text : "/" + text
        guard path.utf8.count <= 1024, path.utf8.allSatisfy(Self.isAllowed) else { return nil }
        description = path
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: "\\"), UInt8(ascii: "#"): false
        default: 0x21...0x7e ~= byte
        }
    }
}
