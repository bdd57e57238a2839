/// What `show table` says of the servers that entries of a stick table refer to (Management Guide, section 9.3).
public struct StickTableReply: Hashable, Sendable {
    /// The numbers of the servers in their backend (`server_id`).
    public let serverNumbers: Set<Int>

    /// Reads a reply to `show table`.
    ///
    /// - Parameter reply: The reply's bytes: a line on the table, and one for each entry.
    /// - Throws: ``HAProxyError`` with the code `unreadableReply` when it is another text, as where there is no such table,
    ///   or was cut short.
    public init(_ reply: [UInt8]) throws(HAProxyError) {
        guard reply.starts(with: "# table: ".utf8), reply.suffix(2).elementsEqual("\n\n".utf8) else {
            let words = String(decoding: reply.prefix(200).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            throw HAProxyError(.unreadableReply, "HAProxy answered 'show table' with \(quoted(words))")
        }
        var numbers: Set<Int> = []
        for line in reply.split(separator: UInt8(ascii: "\n")) {
            for field in line.split(separator: UInt8(ascii: " ")) where field.starts(with: "server_id=".utf8) {
                let text = String(decoding: field.dropFirst("server_id=".utf8.count), as: UTF8.self)
                guard let number = Int(text) else {
                    throw HAProxyError(.unreadableReply, "HAProxy's stick table has the server number \(quoted(text))")
                }
                numbers.insert(number)
            }
        }
        serverNumbers = numbers
    }
}
