/// A line that a ``Receiver`` got.
public struct LogMessage: Sendable, Hashable {
    /// The line as it was sent.
    public let bytes: [UInt8]
    /// What tells it from all others, and its repeats by; nil where delivery is not reliable.
    public let id: MessageID?
    /// Whether a receiver may have had it before.
    public let isRedelivered: Bool

    /// The line as text; what is not UTF-8 in it is replaced.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}
