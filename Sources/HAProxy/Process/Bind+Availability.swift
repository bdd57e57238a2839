internal import Glibc
internal import SystemPackage

extension Bind {
    /// Makes sure that no other program listens here, by binding a socket for a moment.
    ///
    /// HAProxy finds out only in the midst of a reload, and then tries for two seconds while its old process is paused
    /// and refuses connections (2.6): ask before. Do not ask for a bind that HAProxy itself has at the time. A host name,
    /// and a port that this user may not bind while HAProxy perhaps may, pass.
    ///
    /// - Throws: ``HAProxyError`` with the code `addressUnavailable` when the port is in use, or the address is none of
    ///   this host's.
    public func checkAvailability() throws(HAProxyError) {
        let code: Int32 =
            switch address.kind {
            case .ipv4: bindError(ipv4: address.text, port: port.number)
            case .ipv6: bindError(ipv6: address.text, port: port.number, isIPv6Only: isIPv6Only)
            case .hostName: 0
            }
        switch code {
        case EADDRINUSE:
            throw HAProxyError(
                .addressUnavailable, "port \(port) of address \(address) is in use by another program",
                cause: Errno(rawValue: code))
        case EADDRNOTAVAIL:
            throw HAProxyError(
                .addressUnavailable, "address \(address) is none of this host's", cause: Errno(rawValue: code))
        default:
            break
        }
    }
}

private func bindError(ipv4 text: String, port: UInt16) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, text, &address.sin_addr)
    return bindError(address, family: AF_INET, isIPv6Only: false)
}

private func bindError(ipv6 text: String, port: UInt16, isIPv6Only: Bool) -> Int32 {
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = port.bigEndian
    inet_pton(AF_INET6, text, &address.sin6_addr)
    return bindError(address, family: AF_INET6, isIPv6Only: isIPv6Only)
}

/// The error number of `bind`; zero when it succeeds, or cannot be tried.
private func bindError<Address>(_ address: Address, family: Int32, isIPv6Only: Bool) -> Int32 {
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    // Connections of the past that linger in TIME_WAIT do not count.
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    if isIPv6Only {
        setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }
    let status = withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
        }
    }
    return status == 0 ? 0 : errno
}
