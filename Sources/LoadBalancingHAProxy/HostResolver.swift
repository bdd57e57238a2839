internal import DedicatedThread
internal import Glibc
internal import LoadBalancing

/// Finds the addresses of nodes that are given by host names.
///
/// Several are looked up at a time, and not for ever: a resolver that does not answer takes ten seconds and more for each
/// name, and other changes wait meanwhile.
struct HostResolver: Sendable {
    /// What became of a look-up.
    enum Answer: Sendable, Equatable {
        /// The name's first address.
        case address(IPAddress)
        /// There is none, in the resolver's words.
        case failure(String)
    }

    /// How a name is looked up.
    let lookUp: @Sendable (HostName) -> Answer
    /// After how long no further look-up is begun.
    let limit: Duration

    private static let lanes = 8

    init(limit: Duration = .seconds(20), lookUp: @escaping @Sendable (HostName) -> Answer = HostResolver.askSystem) {
        self.limit = limit
        self.lookUp = lookUp
    }

    /// Looks up every host name among the nodes once.
    ///
    /// - Returns: Each name's first address, which is the one that HAProxy takes when it starts.
    /// - Throws: ``DriverError`` that names the first node whose host name has no address, and lists all such nodes.
    @discardableResult
    func addresses(of balancers: [LoadBalancer]) async throws(DriverError) -> [HostName: IPAddress] {
        var users: [HostName: [NodeReference]] = [:]
        var names: [HostName] = []
        for balancer in balancers {
            for node in balancer.nodes {
                guard case .host(let name) = node.address else { continue }
                if users[name] == nil { names.append(name) }
                users[name, default: []].append(NodeReference(balancer: balancer.key, node: node.key))
            }
        }
        var addresses: [HostName: IPAddress] = [:]
        var reasons: [HostName: String] = [:]
        for (name, answer) in await answers(for: names) {
            switch answer {
            case .address(let address): addresses[name] = address
            case .failure(let reason): reasons[name] = reason
            }
        }
        let failed = names.filter { reasons[$0] != nil }
        guard let first = failed.first, let reason = reasons[first], let node = users[first]?.first
        else { return addresses }
        let others = failed.count > 1 ? " (nor do \(failed.count - 1) more host names)" : ""
        throw DriverError(
            .invalid, "node 'address' '\(first)' of \(node) does not resolve: \(reason)\(others)", isRetriable: true,
            failedNodes: failed.flatMap { users[$0] ?? [] })
    }

    private func answers(for names: [HostName]) async -> [HostName: Answer] {
        let deadline = ContinuousClock.now + limit
        return await withTaskGroup(of: [HostName: Answer].self) { group in
            for lane in 0..<min(Self.lanes, names.count) {
                let share = stride(from: lane, to: names.count, by: Self.lanes).map { names[$0] }
                group.addTask {
                    // It ends with the task.
                    let thread = DedicatedThread(name: "resolver")
                    return await thread.run { self.answers(for: share, until: deadline) }
                }
            }
            return await group.reduce(into: [:]) { all, some in all.merge(some) { first, _ in first } }
        }
    }

    private func answers(for names: [HostName], until deadline: ContinuousClock.Instant) -> [HostName: Answer] {
        var answers: [HostName: Answer] = [:]
        for name in names {
            let isInTime = ContinuousClock.now < deadline
            answers[name] = isInTime ? lookUp(name) : .failure("it was not looked up within \(limit)")
        }
        return answers
    }

    /// Asks as HAProxy does when it starts: `getaddrinfo(3)` for either family, of which the first answer counts.
    private static func askSystem(_ name: HostName) -> Answer {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name.description, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard status == 0, let first = list?.pointee else { return .failure(String(cString: gai_strerror(status))) }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let written = getnameinfo(
            first.ai_addr, first.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        guard written == 0, let address = IPAddress(validating: String(decoding: bytes, as: UTF8.self)) else {
            return .failure("its address cannot be used")
        }
        // To HAProxy it would mean wherever the client wanted to go.
        guard !address.isUnspecified else { return .failure("its address is \(address)") }
        return .address(address)
    }
}
