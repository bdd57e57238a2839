internal import HAProxy
internal import LoadBalancing

/// What HAProxy shows when it serves a state.
struct Expectation {
    private var names: Set<String> = []
    private var frontends: Set<String> = []

    init(_ state: HostState) {
        for balancer in state.balancers {
            names.insert(balancer.key.backendName)
            for node in balancer.nodes { names.insert("\(balancer.key.backendName)/\(node.key.serverName)") }
            if state.phase == .active { frontends.insert(balancer.key.frontendName) }
        }
    }

    func isMet(by statistics: Statistics) -> Bool {
        var seen: Set<String> = []
        var listening: Set<String> = []
        for row in statistics.rows {
            switch row.kind {
            case .frontend: if row.status.isUp { listening.insert(row.proxy) }
            case .backend: seen.insert(row.proxy)
            case .server: seen.insert("\(row.proxy)/\(row.server)")
            case .listener: break
            }
        }
        return seen == names && listening == frontends
    }
}
