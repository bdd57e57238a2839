internal import HAProxy
internal import LoadBalancing

extension Statistics {
    /// How the nodes of the host's balancers are, in the order of the last UPDATE.
    ///
    /// A node that HAProxy does not know is down.
    func balancers(of state: HostState) -> [BalancerStatistics] {
        let servers = serversByBackend()
        return state.balancers.map { balancer in
            let rows = servers[balancer.key.backendName] ?? [:]
            return BalancerStatistics(
                balancer: balancer.key,
                nodes: balancer.nodes.map { NodeStatistics($0, row: rows[$0.key.serverName]) })
        }
    }

    /// A row for each node: that of the server in service, where others are there that it has replaced, with the sessions
    /// of them all.
    private func serversByBackend() -> [String: [String: Statistics.Row]] {
        var servers: [String: [String: Statistics.Row]] = [:]
        var replaced: [Statistics.Row] = []
        for row in rows where row.kind == .server {
            if row.server.utf8.contains(UInt8(ascii: ".")) { replaced.append(row) }
            servers[row.proxy, default: [:]][row.server] = row
        }
        for row in replaced {
            guard let name = try? ServerName(row.server), name.isSuccessor else { continue }
            let node = name.plain.description
            let other = servers[row.proxy]?[node]
            servers[row.proxy]?[node] = other.map { $0.merged(with: row) } ?? row
        }
        return servers
    }
}

extension NodeStatistics {
    fileprivate init(_ node: Node, row: Statistics.Row?) {
        // A weight of zero, by which a node is drained, is no state to HAProxy: it says UP.
        let isUp = node.condition == .enabled && row?.status.isUp ?? false
        self.init(
            node: node.key, isUp: isUp, check: row?.lastHealthCheck,
            weight: row?.weight ?? node.weight.value, sessions: row.map { Int(clamping: $0.currentSessions) } ?? 0,
            lastChange: row?.lastChange.map { Int($0.components.seconds) })
    }
}

extension BalancerStatistics {
    /// Of a balancer whose traffic is stopped: no node receives any.
    init(suspended balancer: LoadBalancer) {
        self.init(balancer: balancer.key, nodes: balancer.nodes.map { NodeStatistics($0, row: nil) })
    }
}

extension Statistics.Row {
    /// One row for two servers of a node: the one that is in service; of two that are not, the younger.
    fileprivate func merged(with other: Statistics.Row) -> Statistics.Row {
        let isYounger = (try? ServerName(server).incarnation) ?? 1 > (try? ServerName(other.server).incarnation) ?? 1
        var row = isInService == other.isInService ? (isYounger ? self : other) : isInService ? self : other
        row.currentSessions = currentSessions + other.currentSessions
        return row
    }

    private var isInService: Bool { status.kind != .maintenance && status.kind != .draining }

    /// What the last health check said: the code, and what the check saw where it says more.
    fileprivate var lastHealthCheck: String? {
        guard !checkStatus.isEmpty else { return nil }
        let details = lastCheck.isEmpty ? checkDescription : lastCheck
        return details.isEmpty ? checkStatus : "\(checkStatus): \(details)"
    }
}
