/// Why a text is not taken for JSON.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of fault.
    public enum Code: Sendable, Hashable {
        /// It breaks the grammar of RFC 8259.
        case syntax

        /// It is not UTF-8.
        case notUTF8

        /// A string has half of a surrogate pair.
        case loneSurrogate

        /// An object has a key twice.
        case duplicateKey

        /// Arrays and objects are nested too deep.
        case tooDeep
    }

    /// The kind of fault.
    public let code: Code

    /// What is wrong, in a few words.
    public let reason: String

    /// Where: the number of bytes before the fault.
    public let offset: Int

    /// What led to it: nothing but the text itself.
    public var cause: (any Error)? { nil }

    /// Whether the same text may be accepted later: never.
    public var isRetriable: Bool { false }

    /// What is wrong and where.
    public var message: String { "\(reason) at byte \(offset)" }

    /// The same as ``message``.
    public var description: String { message }
}
