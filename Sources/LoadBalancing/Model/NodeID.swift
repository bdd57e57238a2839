/// The identifier a client gave to a node, unique in its balancer.
///
/// 1 to 64 ASCII letters, digits, `_` and `-`, not beginning with `-`; upper and lower case differ.
public struct NodeID: CheckedText {
    /// The identifier as it was given.
    public let description: String

    /// Creates the value, or returns nil when `text` has another character or length.
    public init?(validating text: String) {
        guard text.isIdentifier else { return nil }
        description = text
    }
}
