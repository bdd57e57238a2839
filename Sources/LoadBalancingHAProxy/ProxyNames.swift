internal import LoadBalancing

/// What balancers and nodes are called in HAProxy.
///
/// `http-in` and `http-servers`, or `http-15-in` and `http-15-servers` when the balancer has an identifier; a node is
/// `id-1001`, or `server1` when the nodes of its balancer have no identifiers.
extension BalancerKey {
    var frontendName: String { "\(self)-in" }
    var backendName: String { "\(self)-servers" }
}

extension NodeKey {
    var serverName: String {
        switch self {
        case .id(let id): "id-\(id)"
        case .position: description
        }
    }
}
