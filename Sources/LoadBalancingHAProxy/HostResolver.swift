internal import DedicatedThread
internal import Glibc
internal import LoadBalancing

/// Finds out whether the host names of nodes have addresses.
struct HostResolver: Sendable {
    private let thread = DedicatedThread(name: "resolver")

    /// Looks up every host name among the nodes once.
    ///
    /// - Throws: ``DriverError`` that names the first node whose host name has no address, and lists all such nodes.
    func check(_ balancers: [LoadBalancer]) async throws(DriverError) {
        var users: [HostName: [NodeReference]] = [:]
        for balancer in balancers {
            for node in balancer.nodes {
                guard case .host(let name) = node.address else { continue }
                users[name, default: []].append(NodeReference(balancer: balancer.key, node: node.key))
            }
        }
        var failed: [NodeReference] = []
        var reasons: [String] = []
        for (name, nodes) in users.sorted(by: { $0.key.description < $1.key.description }) {
            guard let reason = await thread.run({ Self.failure(of: name) }) else { continue }
            failed += nodes
            reasons.append("node 'address' '\(name)' of \(nodes[0]) does not resolve: \(reason)")
        }
        guard let first = reasons.first else { return }
        let others = reasons.count > 1 ? " (and \(reasons.count - 1) more host names)" : ""
        throw DriverError(.invalid, first + others, isRetriable: true, failedNodes: failed)
    }

    private static func failure(of name: HostName) -> String? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name.description, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        return status == 0 ? nil : String(cString: gai_strerror(status))
    }
}
