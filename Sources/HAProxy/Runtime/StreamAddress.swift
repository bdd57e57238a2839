/// Where a process of HAProxy keeps a stream: what `show sess` calls it by (Management Guide, section 9.3).
struct StreamAddress: Hashable, Sendable {
    /// A hexadecimal number, `0x` before it.
    let text: String

    /// The streams that pass through a backend, in a reply to `show sess`; the Runtime API's own have none.
    static func list(in reply: [UInt8]) -> [StreamAddress] {
        reply.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            guard let address = words.first, address.hasPrefix("0x"), address.hasSuffix(":"),
                address.dropFirst(2).dropLast().allSatisfy(\.isHexDigit),
                let backend = words.first(where: { $0.hasPrefix("be=") }), backend != "be=<NONE>"
            else { return nil }
            return StreamAddress(text: String(address.dropLast()))
        }
    }
}

extension RuntimeCommand {
    /// `show sess`: a line for each stream.
    static let showStreams = RuntimeCommand("show sess", success: .content)

    /// `shutdown session`: ends a stream; one that has ended meanwhile is refused.
    static func shutdownStream(_ address: StreamAddress) -> RuntimeCommand {
        RuntimeCommand("shutdown session \(address.text)", success: .silence)
    }
}
