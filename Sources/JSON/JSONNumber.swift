/// A JSON number as its text, so that 2^64, 1e400 and 1.10 come out as they went in.
public struct JSONNumber: Sendable, Hashable, CustomStringConvertible {
    /// The number as RFC 8259 section 6 writes it.
    public let description: String

    /// Creates a whole number.
    public init(_ value: some FixedWidthInteger) {
        description = String(value)
    }

    /// Reads a number, or returns nil when `text` is not what RFC 8259 calls one.
    public init?(_ text: String) {
        var scanner = JSONNumberScanner(bytes: Array(text.utf8))
        guard scanner.scan() == .end(text.utf8.count) else { return nil }
        description = text
    }

    /// Wraps text that a parser has found to be a number.
    init(checked text: String) {
        description = text
    }
}
