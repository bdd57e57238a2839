/// What a message is about: words with dots between them, such as `Frontend.Customer.Signup`.
///
/// Case makes no difference; a key is kept in upper case. A word has ASCII letters, digits, and `_ - + = @`, and at most
/// 64 of them; a key has at most 255 bytes (AMQP's limit). So a key is also a path that leads nowhere else.
public struct RoutingKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The key in upper case.
    public let description: String

    /// Checks a key.
    ///
    /// - Parameter text: The key, in any case.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    public init(_ text: String) throws(MessageLogError) {
        if let fault = RoutingWord.fault(in: text, wildcards: false) {
            throw MessageLogError(.invalidArgument, "'\(RoutingWord.visible(text))' is no routing key: \(fault)")
        }
        description = text.uppercased()
    }

    /// The words, in upper case.
    public var words: [Substring] { description.split(separator: ".") }

    /// The key as the path of a folder: `FRONTEND/CUSTOMER/SIGNUP`.
    public var path: String { String(description.map { $0 == "." ? "/" : $0 }) }

    /// Whether one key comes before another, by their bytes.
    public static func < (left: RoutingKey, right: RoutingKey) -> Bool { left.description < right.description }
}

/// The words that keys and patterns are made of.
enum RoutingWord {
    /// What keeps a text from being a key, or a pattern if `wildcards` are allowed; `nil` when nothing does.
    static func fault(in text: String, wildcards: Bool) -> String? {
        if text.utf8.count > 255 { return "it has more than 255 bytes" }
        for word in text.split(separator: ".", omittingEmptySubsequences: false) {
            if word.isEmpty { return "a word of it is empty" }
            if wildcards, word == "*" || word == "#" { continue }
            if word.utf8.count > 64 { return "a word of it has more than 64 bytes" }
            if let other = word.unicodeScalars.first(where: { !isAllowed($0) }) {
                return "'\(visible(String(other)))' is not a letter or digit of ASCII, nor one of _ - + = @"
            }
        }
        return nil
    }

    /// The text with control characters escaped, for messages.
    static func visible(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { text, scalar in
            text += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
        }
    }

    /// Whether words may have it.
    static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "+", "=", "@": true
        default: false
        }
    }
}
