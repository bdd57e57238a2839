/// What a consumer subscribes to: a routing key in which `*` stands for one word and `#` for any number of words.
///
/// The same as in AMQP 0-9-1's topic exchanges (section 3.1.3.3). Case makes no difference.
public struct RoutingPattern: Sendable, Hashable, CustomStringConvertible {
    /// The pattern in upper case.
    public let description: String

    /// Checks a pattern.
    ///
    /// - Parameter text: The pattern, in any case.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    public init(_ text: String) throws(MessageLogError) {
        if let fault = RoutingWord.fault(in: text, wildcards: true) {
            throw MessageLogError(.invalidArgument, "'\(RoutingWord.visible(text))' is no routing pattern: \(fault)")
        }
        description = text.uppercased()
    }

    /// The pattern that one key matches.
    public init(_ key: RoutingKey) { description = key.description }

    /// The key, where the pattern has no `*` and no `#`.
    public var key: RoutingKey? { try? RoutingKey(description) }

    /// Whether a key matches.
    public func matches(_ key: RoutingKey) -> Bool {
        Self.matches(description.split(separator: ".")[...], key.words[...])
    }

    private static func matches(_ pattern: ArraySlice<Substring>, _ words: ArraySlice<Substring>) -> Bool {
        guard let first = pattern.first else { return words.isEmpty }
        let rest = pattern.dropFirst()
        if first == "#" { return (words.startIndex...words.endIndex).contains { matches(rest, words[$0...]) } }
        guard let word = words.first, first == "*" || first == word else { return false }
        return matches(rest, words.dropFirst())
    }
}
