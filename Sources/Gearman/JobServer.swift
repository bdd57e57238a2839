import Glibc

/// Where a Gearman job server listens.
///
/// ```swift
/// let server = try JobServer("[::1]:4730")
/// ```
public struct JobServer: Hashable, Sendable, CustomStringConvertible {
    /// The port that IANA has assigned to Gearman.
    public static let defaultPort = 4730

    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    public let host: String
    /// A TCP port, 1 to 65535.
    public let port: Int

    /// Names a job server.
    ///
    /// - Parameters:
    ///   - host: A host name, an IPv4 address, or an IPv6 address without brackets.
    ///   - port: A TCP port, 1 to 65535.
    /// - Throws: ``GearmanError`` with the code `invalidArgument`.
    public init(host: String, port: Int = JobServer.defaultPort) throws(GearmanError) {
        guard isName(host) || isAddress(host, family: AF_INET6) else {
            throw GearmanError(
                .invalidArgument, "'\(host)' is neither a host name nor an address; write host, host:port or [::1]:port"
            )
        }
        guard (1...65_535).contains(port) else {
            throw GearmanError(.invalidArgument, "port \(port) of job server '\(host)' is not in 1 to 65535")
        }
        self.host = host
        self.port = port
    }

    /// Reads `host`, `host:port`, `[IPv6 address]` or `[IPv6 address]:port`.
    ///
    /// - Parameter text: The text, without spaces around it; the port defaults to ``defaultPort``.
    /// - Throws: ``GearmanError`` with the code `invalidArgument`.
    public init(_ text: String) throws(GearmanError) {
        let host: Substring
        let rest: Substring
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]"),
                isAddress(String(text[text.index(after: text.startIndex)..<end]), family: AF_INET6)
            else {
                throw GearmanError(.invalidArgument, "'\(text)' has no IPv6 address in its brackets; write [::1]:4730")
            }
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
        } else {
            let end = text.firstIndex(of: ":") ?? text.endIndex
            host = text[..<end]
            rest = text[end...]
            guard rest.dropFirst().firstIndex(of: ":") == nil else {
                throw GearmanError(
                    .invalidArgument, "'\(text)' has more than one colon; write an IPv6 address as [::1]:4730")
            }
        }
        guard !rest.isEmpty else {
            try self.init(host: String(host))
            return
        }
        let digits = rest.dropFirst()
        guard rest.first == ":", digits.utf8.count <= 5, digits.utf8.allSatisfy(isDigit), let port = Int(digits) else {
            throw GearmanError(.invalidArgument, "'\(text)' has no port after its host; write host:4730")
        }
        try self.init(host: String(host), port: port)
    }

    /// Reads job servers that are separated by commas or white space.
    ///
    /// - Parameter text: Such as `gear1, gear2:4731 [::1]:4730`.
    /// - Returns: The job servers, in order, each once.
    /// - Throws: ``GearmanError`` with the code `invalidArgument`, also when there is none.
    public static func list(_ text: String) throws(GearmanError) -> [JobServer] {
        var servers: [JobServer] = []
        for word in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            let server = try JobServer(String(word))
            if !servers.contains(server) { servers.append(server) }
        }
        guard !servers.isEmpty else {
            throw GearmanError(.invalidArgument, "no job server is named; write host:port, several with commas")
        }
        return servers
    }

    /// The text that ``init(_:)`` reads, always with the port.
    public var description: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

/// Whether `text` is an address; an IPv6 address may name its interface, as `fe80::1%eth0` does.
private func isAddress(_ text: String, family: Int32) -> Bool {
    let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = parts.first, parts.count == 1 || (family == AF_INET6 && isName(String(parts[1]))) else {
        return false
    }
    var storage = in6_addr()
    return !address.utf8.contains(0) && inet_pton(family, String(address), &storage) == 1
}

private func isName(_ text: String) -> Bool {
    guard (1...253).contains(text.utf8.count), text.first != "-", text.first != "." else { return false }
    guard
        text.utf8.allSatisfy({ byte in
            isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
        })
    else { return false }
    // What looks like an IPv4 address has to be one: inet_aton would make something of "1.2" or "4730".
    return !text.utf8.allSatisfy { isDigit($0) || $0 == UInt8(ascii: ".") } || isAddress(text, family: AF_INET)
}
