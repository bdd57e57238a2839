/// A command of HAProxy's Runtime API (Management Guide, section 9.3).
///
/// Commands are made by the functions in the extensions of this type; every word in them is of a type that cannot hold a
/// line's end, a `;` or anything else that would begin another command.
public struct RuntimeCommand: Hashable, Sendable, CustomStringConvertible {
    /// What a reply to a command looks like when HAProxy did what it was told.
    enum Success: Hashable, Sendable {
        /// An empty reply.
        case silence
        /// A reply that begins with one of these texts, or an empty one.
        case message([String])
        /// Any text: the command asks for something.
        case content
    }

    /// The command as it is sent, without the line's end.
    public let text: String
    let success: Success

    init(_ text: String, success: Success) {
        self.text = text
        self.success = success
    }

    /// A command that this module has no function for.
    ///
    /// - Parameter text: Printable ASCII without `;`, `\` and `<<`, at most 8,192 bytes.
    /// - Returns: A command whose reply is not judged.
    /// - Throws: ``HAProxyError`` with the code `invalidValue`.
    public static func verbatim(_ text: String) throws(HAProxyError) -> RuntimeCommand {
        try ByteClass.command.check(text, as: "a Runtime API command", upTo: 8192)
        let angle = UInt8(ascii: "<")
        // A line that ends with it makes HAProxy read on until a blank line.
        guard !zip(text.utf8, text.utf8.dropFirst()).contains(where: { $0 == angle && $1 == angle }) else {
            throw HAProxyError(.invalidValue, "\(quoted(text)) cannot be a Runtime API command: '<<' begins a payload")
        }
        return RuntimeCommand(text, success: .content)
    }

    /// The command as it is sent.
    public var description: String { text }

    /// Throws unless `reply` says that HAProxy did what this command asks for.
    func checkSuccess(of reply: [UInt8]) throws(HAProxyError) {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: "\n") || byte == UInt8(ascii: " ") }
        guard let end = reply.lastIndex(where: { !isBlank($0) }) else { return }
        let words = String(decoding: reply[...end].drop(while: isBlank).prefix(1000), as: UTF8.self)
        switch success {
        case .content: return
        case .message(let texts) where texts.contains(where: words.hasPrefix): return
        case .message, .silence:
            var error = HAProxyError(.commandRefused, "HAProxy refuses '\(text)': \(words)")
            error.command = self
            throw error
        }
    }
}
