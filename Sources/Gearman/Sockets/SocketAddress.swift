import Glibc

/// An address of a TCP port, IPv4 or IPv6.
struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// The bytes of a `sockaddr_in` or `sockaddr_in6`.
    private let bytes: [UInt8]

    init(_ address: UnsafePointer<sockaddr>, length: socklen_t) {
        bytes = Array(UnsafeRawBufferPointer(start: address, count: Int(length)))
    }

    /// The other end of a connection; `nil` for what is no connected socket.
    init?(peerOf descriptor: Int32) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let found = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> SocketAddress? in
                guard getpeername(descriptor, address, &length) == 0 else { return nil }
                guard [AF_INET, AF_INET6].contains(Int32(address.pointee.sa_family)) else { return nil }
                return SocketAddress(address, length: length)
            }
        }
        guard let found else { return nil }
        self = found
    }

    /// Calls `body` with the address as the socket calls take it.
    func withSocketAddress<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(bytes.count)) }
        }
    }

    /// `AF_INET` or `AF_INET6`.
    var family: Int32 { withSocketAddress { address, _ in Int32(address.pointee.sa_family) } }

    /// The address in digits, with the interface of a link-local one, without the port.
    var host: String { name(flags: NI_NUMERICHOST | NI_NUMERICSERV).host }

    var description: String {
        let name = name(flags: NI_NUMERICHOST | NI_NUMERICSERV)
        return family == AF_INET6 ? "[\(name.host)]:\(name.port)" : "\(name.host):\(name.port)"
    }

    private func name(flags: Int32) -> (host: String, port: String) {
        var host = [UInt8](repeating: 0, count: Int(NI_MAXHOST))
        var port = [UInt8](repeating: 0, count: 32)
        withSocketAddress { address, length in
            host.withUnsafeMutableBytes { host in
                port.withUnsafeMutableBytes { port in
                    _ = getnameinfo(
                        address, length, host.assumingMemoryBound(to: CChar.self).baseAddress, socklen_t(host.count),
                        port.assumingMemoryBound(to: CChar.self).baseAddress, socklen_t(port.count), flags)
                }
            }
        }
        return (text(host), text(port))
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
}
