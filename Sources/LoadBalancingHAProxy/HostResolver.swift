internal import DedicatedThread
internal import Glibc
internal import LoadBalancing

/// Finds out whether the host names of nodes have addresses.
///
/// Several are looked up at a time, and not for ever: a resolver that does not answer takes ten seconds and more for each
/// name, and other changes wait meanwhile.
struct HostResolver: Sendable {
    /// How a name is looked up: nil when it has an address, else what the resolver says.
    let failure: @Sendable (HostName) -> String?
    /// After how long no further look-up is begun.
    let limit: Duration

    private static let lanes = 8

    init(limit: Duration = .seconds(20), failure: @escaping @Sendable (HostName) -> String? = HostResolver.lookUp) {
        self.limit = limit
        self.failure = failure
    }

    /// Looks up every host name among the nodes once.
    ///
    /// - Throws: ``DriverError`` that names the first node whose host name has no address, and lists all such nodes.
    func check(_ balancers: [LoadBalancer]) async throws(DriverError) {
        var users: [HostName: [NodeReference]] = [:]
        var names: [HostName] = []
        for balancer in balancers {
            for node in balancer.nodes {
                guard case .host(let name) = node.address else { continue }
                if users[name] == nil { names.append(name) }
                users[name, default: []].append(NodeReference(balancer: balancer.key, node: node.key))
            }
        }
        let reasons = await failures(of: names)
        let failed = names.filter { reasons[$0] != nil }
        guard let first = failed.first, let reason = reasons[first], let node = users[first]?.first else { return }
        let others = failed.count > 1 ? " (nor do \(failed.count - 1) more host names)" : ""
        throw DriverError(
            .invalid, "node 'address' '\(first)' of \(node) does not resolve: \(reason)\(others)", isRetriable: true,
            failedNodes: failed.flatMap { users[$0] ?? [] })
    }

    private func failures(of names: [HostName]) async -> [HostName: String] {
        let deadline = ContinuousClock.now + limit
        return await withTaskGroup(of: [HostName: String].self) { group in
            for lane in 0..<min(Self.lanes, names.count) {
                let share = stride(from: lane, to: names.count, by: Self.lanes).map { names[$0] }
                group.addTask {
                    // It ends with the task.
                    let thread = DedicatedThread(name: "resolver")
                    return await thread.run { self.failures(of: share, until: deadline) }
                }
            }
            return await group.reduce(into: [:]) { all, some in all.merge(some) { first, _ in first } }
        }
    }

    private func failures(of names: [HostName], until deadline: ContinuousClock.Instant) -> [HostName: String] {
        var failures: [HostName: String] = [:]
        for name in names {
            failures[name] = ContinuousClock.now < deadline ? failure(name) : "it was not looked up within \(limit)"
        }
        return failures
    }

    private static func lookUp(_ name: HostName) -> String? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name.description, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        return status == 0 ? nil : String(cString: gai_strerror(status))
    }
}
