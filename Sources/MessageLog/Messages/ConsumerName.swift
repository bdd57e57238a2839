/// Who reads: consumers of one name share a cursor, those of different names each get everything.
///
/// It has ASCII letters, digits, and `_ - + = @ .`, 1 to 128 of them, and does not begin with a dot.
public struct ConsumerName: Sendable, Hashable, CustomStringConvertible {
    /// The name.
    public let description: String

    /// Checks a name.
    ///
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    public init(_ text: String) throws(MessageLogError) {
        let isAllowed = text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.unicodeScalars.allSatisfy(RoutingWord.isAllowed)
        }
        guard !text.isEmpty, text.utf8.count <= 128, isAllowed else {
            throw MessageLogError(
                .invalidArgument,
                "'\(RoutingWord.visible(text))' is no consumer name: it has letters, digits and _ - + = @ of ASCII, "
                    + "with single dots between, 1 to 128 in all")
        }
        description = text
    }

    /// The name of consumers that have none of their own.
    public static let standard = ConsumerName(unchecked: "default")

    private init(unchecked text: String) { description = text }
}
