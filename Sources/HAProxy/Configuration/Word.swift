/// A word of a HAProxy configuration: printable ASCII without anything that HAProxy's parser treats specially.
///
/// Spaces, quotes, backslashes, `#`, `$`, `{` and `}` end a word, quote, escape, comment out or expand (Configuration
/// Manual, section 2.2), and bytes outside ASCII mean nothing there, so a word cannot contain them.
public struct Word: Hashable, Sendable, CustomStringConvertible {
    /// The longest word, in bytes.
    public static let maximumLength = 1024

    let text: String

    /// Checks a word.
    ///
    /// - Parameters:
    ///   - text: 1 to 1,024 bytes.
    ///   - what: What the word is, for the error: "the user", "the cookie's name".
    /// - Throws: ``HAProxyError`` with the code `invalidValue`.
    public init(_ text: String, as what: String = "a configuration word") throws(HAProxyError) {
        try ByteClass.word.check(text, as: what, upTo: Self.maximumLength)
        self.text = text
    }

    /// The word as it is written.
    public var description: String { text }
}

/// A line of comment.
///
/// Any text without control characters and without those that a reader would take for a line's end, or that turn the
/// direction of writing.
public struct Comment: Hashable, Sendable, CustomStringConvertible {
    /// The longest comment, in bytes; HAProxy's own buffer for a line is 2,048.
    public static let maximumLength = 1024

    let text: String

    /// Checks a comment.
    ///
    /// - Parameter text: At most 1,024 bytes in one line; it may be empty.
    /// - Throws: ``HAProxyError`` with the code `invalidValue`.
    public init(_ text: String) throws(HAProxyError) {
        try ByteClass.comment.check(text, as: "a comment", upTo: Self.maximumLength, orEmpty: true)
        guard !text.unicodeScalars.contains(where: Self.misleads) else {
            throw HAProxyError(
                .invalidValue, "\(quoted(text)) cannot be a comment: it has characters that mislead a reader")
        }
        self.text = text
    }

    private static func misleads(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x80...0x9f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }

    /// The comment without its `#`.
    public var description: String { text }
}

/// An absolute path in a HAProxy configuration.
public struct ConfigurationPath: Hashable, Sendable, CustomStringConvertible {
    let text: String

    /// Checks a path.
    ///
    /// - Parameter text: An absolute path of at most 1,024 bytes that is a ``Word`` too.
    /// - Throws: ``HAProxyError`` with the code `invalidValue`.
    public init(_ text: String) throws(HAProxyError) {
        try ByteClass.word.check(text, as: "a path in HAProxy's configuration", upTo: Word.maximumLength)
        guard text.utf8.first == UInt8(ascii: "/") else {
            throw HAProxyError(.invalidValue, "the path \(quoted(text)) has to be absolute")
        }
        self.text = text
    }

    /// The path as it is written.
    public var description: String { text }
}

/// The path and query of a health check's HTTP request.
///
/// What RFC 3986 allows there, less the single quote, which is HAProxy's strongest quote: write it as `%27`.
public struct RequestPath: Hashable, Sendable, CustomStringConvertible {
    let text: String

    /// Checks a path.
    ///
    /// - Parameter text: It begins with `/` and has at most 1,024 bytes; what a URL cannot contain is percent-encoded.
    /// - Throws: ``HAProxyError`` with the code `invalidValue`.
    public init(_ text: String) throws(HAProxyError) {
        try ByteClass.requestPath.check(text, as: "the path of a health check", upTo: Word.maximumLength)
        guard text.utf8.first == UInt8(ascii: "/") else {
            throw HAProxyError(.invalidValue, "the path \(quoted(text)) of a health check has to begin with '/'")
        }
        self.text = text
    }

    /// The path as it is sent.
    public var description: String { text }
}
