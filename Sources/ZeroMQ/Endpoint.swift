import Glibc

/// Where a socket binds or connects to, as zmq_tcp(7) and zmq_ipc(7) write it.
///
/// - `tcp://HOST:PORT`: an IPv4 address, an IPv6 address in brackets, or a name. To bind, `*` stands for every address
///   of this host, the name of an interface for its addresses, and `*` or `0` as port for a free one.
/// - `ipc://PATH`: a Unix socket; `ipc://@NAME` is one in Linux's abstract namespace.
public struct Endpoint: Sendable, Hashable, CustomStringConvertible {
    enum Address: Sendable, Hashable {
        /// The port is 0 where a free one is wanted.
        case tcp(host: String, port: UInt16)
        case ipc(path: String)
        case inproc
    }

    /// The endpoint as libzmq takes it.
    public let description: String
    let address: Address

    /// Reads an endpoint.
    ///
    /// - Parameter text: The endpoint, for example `tcp://127.0.0.1:5000`.
    /// - Throws: ``ZeroMQError`` with the code `invalidArgument` when it is not one of the forms above.
    public init(_ text: String) throws(ZeroMQError) {
        if let rest = text.dropping(prefix: "tcp://") {
            address = try Self.tcp(rest, in: text)
        } else if let path = text.dropping(prefix: "ipc://") {
            address = try Self.ipc(path, in: text)
        } else {
            throw Self.fault(text, "it starts neither with tcp:// nor with ipc://")
        }
        description = text
    }

    private init(inproc name: String) {
        description = "inproc://\(name)"
        address = .inproc
    }

    /// A name within one context; for sockets of one process.
    package static func inproc(_ name: String) -> Endpoint { Endpoint(inproc: name) }

    /// Whether only this host can reach it: a Unix socket, or a loopback address.
    public var isLoopback: Bool {
        switch address {
        case .tcp(let host, _):
            host == "localhost" || Self.loopbackIPv6.contains(host)
                || host.hasPrefix("127.") && Self.isNumeric(host)
        case .ipc, .inproc: true
        }
    }

    /// Whether it can only be bound: it stands for several addresses or for a port that is not chosen yet.
    public var isWildcard: Bool {
        guard case .tcp(let host, let port) = address else { return false }
        return host == "*" || port == 0
    }

    /// Whether it has a host's name, which libzmq resolves at each attempt to connect.
    package var isName: Bool { hostName != nil }

    /// The host's name; nil where there is an address, or a Unix socket.
    package var hostName: String? {
        guard case .tcp(let host, _) = address, host != "*", !host.hasPrefix("["), !Self.isNumeric(host) else {
            return nil
        }
        return host
    }

    /// Whether libzmq has to be told that IPv6 is wanted.
    var isIPv6: Bool {
        guard case .tcp(let host, _) = address else { return false }
        return host.hasPrefix("[")
    }

    private static let loopbackIPv6: Set<String> = ["[::1]", "[0:0:0:0:0:0:0:1]"]

    private static func tcp(_ rest: String, in text: String) throws(ZeroMQError) -> Address {
        guard let colon = rest.lastIndex(of: ":"), colon != rest.startIndex else {
            throw fault(text, "it wants a host and a port, as in tcp://127.0.0.1:5000")
        }
        let host = String(rest[..<colon])
        let digits = rest[rest.index(after: colon)...]
        guard isHost(host) else {
            throw fault(
                text,
                "'\(host)' is neither a name nor an address; one of IPv6 stands in brackets, as in tcp://[::1]:5000")
        }
        if digits == "*" { return .tcp(host: host, port: 0) }
        guard digits.utf8.allSatisfy(isDigit), let port = UInt16(digits) else {
            throw fault(text, "'\(digits)' is no port between 1 and 65535")
        }
        return .tcp(host: host, port: port)
    }

    private static func isHost(_ host: String) -> Bool {
        if host == "*" { return true }
        if host.hasPrefix("[") { return host.hasSuffix("]") && isIPv6(host.dropFirst().dropLast()) }
        if isNumeric(host) {
            var address = in_addr()
            // As libzmq does, this takes 127.1 too.
            return inet_aton(host, &address) != 0
        }
        return host.utf8.allSatisfy(isNameByte)
    }

    /// Whether it is an IPv6 address, perhaps with a scope such as `%eth0`.
    private static func isIPv6(_ text: Substring) -> Bool {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        var address = in6_addr()
        return inet_pton(AF_INET6, String(parts[0]), &address) == 1
            && (parts.count == 1 || !parts[1].isEmpty && parts[1].utf8.allSatisfy(isNameByte))
    }

    /// Whether a host is written in digits and dots, as addresses are and names are not.
    private static func isNumeric(_ host: String) -> Bool {
        host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || isDigit($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: isDigit(byte)
        }
    }

    private static func ipc(_ path: String, in text: String) throws(ZeroMQError) -> Address {
        guard !path.isEmpty, path != "@", path != "*" else {
            throw fault(text, "it wants the path of a socket, as in ipc:///run/hayrack.sock")
        }
        // sockaddr_un holds 108 bytes with the closing NUL (unix(7)).
        guard path.utf8.count <= 107 else { throw fault(text, "a socket's path has at most 107 bytes") }
        guard !path.utf8.contains(0) else { throw fault(text, "a path holds no NUL") }
        return .ipc(path: path)
    }

    private static func fault(_ text: String, _ why: String) -> ZeroMQError {
        ZeroMQError(.invalidArgument, "endpoint '\(text)' cannot be used: \(why)")
    }
}

extension String {
    /// What comes after `prefix`; nil where the text starts otherwise.
    fileprivate func dropping(prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
