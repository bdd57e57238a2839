internal import HAProxy
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

extension NodeKey {
    /// Reads ``serverName``; nil when it is the name of something else.
    init?(serverName: String) {
        let (id, position) = ("id-", "server")
        if serverName.hasPrefix(id), let id = NodeID(validating: String(serverName.dropFirst(id.count))) {
            self = .id(id)
        } else if serverName.hasPrefix(position), let number = Int(serverName.dropFirst(position.count)) {
            self = .position(number)
        } else {
            return nil
        }
    }
}

extension NodeReference {
    /// The node that a server is there for; nil for a server that is none of a balancer's.
    init?(_ place: ServerPlace) {
        guard let balancer = BalancerKey(backendName: place.backend.description),
            let node = NodeKey(serverName: place.server.plain.description)
        else { return nil }
        self.init(balancer: balancer, node: node)
    }
}
