internal import LoadBalancing

/// What balancers and nodes are called in HAProxy.
///
/// `http-in` and `http-servers`, or `http-15-in` and `http-15-servers` when the balancer has an identifier; a node is
/// `id-1001`, or `server1` when the nodes of its balancer have no identifiers.
extension BalancerKey {
    var frontendName: String { "\(self)-in" }
    var backendName: String { "\(self)-servers" }

    /// Reads ``backendName``; nil when it is the name of something else.
    init?(backendName: String) {
        let ending = "-servers"
        guard backendName.hasSuffix(ending) else { return nil }
        self.init(parsing: String(backendName.dropLast(ending.count)))
    }
}

extension NodeKey {
    var serverName: String {
        switch self {
        case .id(let id): "id-\(id)"
        case .position: description
        }
    }
}
