import NIOCore

/// Where an HTTP server is: `http://host:port` or `https://host:port`.
struct HTTPEndpoint: Sendable, Hashable, CustomStringConvertible {
    /// Whether the connection is encrypted.
    let isTLS: Bool
    /// The host's name or address; an IPv6 address without its brackets.
    let host: String
    /// The TCP port.
    let port: Int
    /// What comes before every path, such as `/v1/AUTH_libra`; empty, or with a slash in front and none behind.
    let path: String

    init(isTLS: Bool, host: String, port: Int? = nil, path: String = "") {
        self.isTLS = isTLS
        self.host = host
        self.port = port ?? (isTLS ? 443 : 80)
        self.path = path
    }

    /// Reads `http://host:port/path`; the port and the path may be absent.
    ///
    /// - Throws: ``ObjectStoreError`` with the code `invalidArgument`.
    init(_ text: String) throws(ObjectStoreError) {
        let rest: Substring
        if text.lowercased().hasPrefix("https://") {
            (isTLS, rest) = (true, text.dropFirst(8))
        } else if text.lowercased().hasPrefix("http://") {
            (isTLS, rest) = (false, text.dropFirst(7))
        } else {
            throw Self.error(text, "it needs to begin with http:// or https://")
        }
        guard !rest.contains(where: { "?#@".contains($0) }) else {
            throw Self.error(text, "it can have a host, a port and a path, and no '?', '#' or '@'")
        }
        let halves = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let authority = halves[0]
        let hostEnd: Substring.Index
        if authority.hasPrefix("["), let bracket = authority.firstIndex(of: "]") {
            hostEnd = authority.index(after: bracket)
            host = String(authority[authority.index(after: authority.startIndex)..<bracket])
        } else {
            hostEnd = authority.firstIndex(of: ":") ?? authority.endIndex
            host = String(authority[..<hostEnd])
        }
        guard !host.isEmpty, host.utf8.allSatisfy(Self.isAllowedInHost) else {
            throw Self.error(text, "it needs a host")
        }
        let end = authority[hostEnd...]
        if end.isEmpty {
            port = isTLS ? 443 : 80
        } else {
            let digits = end.dropFirst()
            guard end.first == ":", digits.utf8.allSatisfy({ 48...57 ~= $0 }), let number = Int(digits),
                1...65_535 ~= number
            else { throw Self.error(text, "it needs a port from 1 to 65535 behind the host's ':'") }
            port = number
        }
        var path = halves.count == 2 ? "/\(halves[1])" : ""
        while path.last == "/" { path.removeLast() }
        guard path.utf8.allSatisfy({ 0x21...0x7e ~= $0 }) else {
            throw Self.error(text, "its path has to be percent-encoded")
        }
        self.path = path
    }

    /// Whether the host is an IP address.
    var isAddress: Bool { (try? SocketAddress(ipAddress: host, port: port)) != nil }

    /// What the `Host` header says: the port only where it is not the scheme's own (RFC 9110, section 7.2).
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }

    var description: String { "\(isTLS ? "https" : "http")://\(authority)\(path)" }

    /// The same server under another name in the same domain, as `bucket.s3.example` is of `s3.example`.
    func subdomain(_ name: String) -> HTTPEndpoint {
        HTTPEndpoint(isTLS: isTLS, host: "\(name).\(host)", port: port, path: path)
    }

    private static func isAllowedInHost(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func error(_ text: String, _ fault: String) -> ObjectStoreError {
        ObjectStoreError(
            .invalidArgument, "'\(text.visible)' is no endpoint: \(fault), as in https://s3.example:9000")
    }
}
