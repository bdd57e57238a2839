/// The path that an HTTP health check asks a node for.
///
/// A path and perhaps a query (RFC 3986, sections 3.3 and 3.4) of at most 1,024 bytes, beginning with `/`. The single
/// quote, which RFC 3986 allows, is written as `%27`.
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
        byte.isLetterOrDigit || "-._~%!$&()*+,;=:@/?".utf8.contains(byte)
    }
}
