internal import DedicatedThread
internal import Glibc
package import Logging
package import ZeroMQ

/// Warns of hosts whose names have no address now: libzmq asks for it at each attempt to connect, and says nothing.
///
/// - Parameters:
///   - endpoints: What is connected to.
///   - logger: Who is told, later.
package func warnOfUnknownHosts(in endpoints: [Endpoint], logger: Logger) {
    let named = endpoints.compactMap { endpoint in endpoint.hostName.map { (endpoint, $0) } }
    guard !named.isEmpty else { return }
    // getaddrinfo(3) may take a minute and cannot be interrupted.
    DedicatedThread(name: "host-names").start {
        for (endpoint, name) in named {
            var hints = addrinfo()
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var list: UnsafeMutablePointer<addrinfo>?
            let status = getaddrinfo(name, nil, &hints, &list)
            if let list { freeaddrinfo(list) }
            guard status != 0 else { continue }
            logger.warning(
                "the host of \(endpoint) has no address (\(String(cString: gai_strerror(status)))): check its name; it is tried again and again"
            )
        }
    }
}
