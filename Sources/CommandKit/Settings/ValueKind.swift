import Configuration

/// What values a setting takes: how its text is read, and how it travels through swift-configuration.
///
/// Use one of the kinds that are there, such as `.integer(1...64)`, or make one with ``parsed(_:parse:format:)``.
public struct ValueKind<Value: Sendable>: Sendable {
    /// What a value is, as it completes the sentence "'x' is not …".
    public let expectation: String
    let isSecret: Bool
    /// Whether a text may be empty or have several lines: only a list's may.
    let isList: Bool
    /// Whether a text may be empty all the same, and means that there is no value.
    let mayBeEmpty: Bool
    let parse: @Sendable (_ text: String, _ folder: String?) throws(ValueMismatch) -> Value
    let content: @Sendable (Value) -> ConfigContent
    let read: @Sendable (ConfigReader, ConfigKey) -> Value?

    init(
        _ expectation: String, isSecret: Bool = false, isList: Bool = false, mayBeEmpty: Bool = false,
        parse: @escaping @Sendable (_ text: String, _ folder: String?) throws(ValueMismatch) -> Value,
        content: @escaping @Sendable (Value) -> ConfigContent,
        read: @escaping @Sendable (ConfigReader, ConfigKey) -> Value?
    ) {
        self.expectation = expectation
        self.isSecret = isSecret
        self.isList = isList
        self.mayBeEmpty = mayBeEmpty
        self.parse = parse
        self.content = content
        self.read = read
    }

    /// A kind of its own, kept as text in the layers.
    ///
    /// - Parameters:
    ///   - expectation: What a value is, as in "'x' is not …": `"a HOST:PORT"`.
    ///   - parse: Reads a text without control characters; nil when it is not such a value.
    ///   - format: Writes a value so that `parse` reads it again.
    /// - Returns: The kind.
    public static func parsed(
        _ expectation: String, parse: @escaping @Sendable (String) -> Value?,
        format: @escaping @Sendable (Value) -> String
    ) -> ValueKind {
        ValueKind(
            expectation,
            parse: { text, _ throws(ValueMismatch) in
                guard let value = parse(text) else { throw ValueMismatch(text) }
                return value
            },
            content: { .string(format($0)) },
            read: { reader, key in reader.string(forKey: key).flatMap(parse) })
    }
}

/// The text that was not such a value.
struct ValueMismatch: Error {
    let text: String

    init(_ text: String) { self.text = text }
}
