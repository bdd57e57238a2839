internal import HAProxy
internal import LoadBalancing

/// What a process serves: as the worker has made it, and in fact.
///
/// What is between the two was done by hand.
struct Sight {
    var expected: LiveState
    var actual: LiveState

    /// From where a change of these nodes is planned that leaves alone what was done by hand to all others.
    ///
    /// A server that a human has added is none of a node's, unless it is called like one that is changed.
    func start(changing nodes: Set<ServerPlace>) -> LiveState {
        var start = expected
        start.replaceServers(of: nodes, with: actual)
        return start
    }

    /// The conditions of the nodes that are otherwise than they were asked for, and stay so; of none of `nodes`.
    func conditions(except nodes: Set<ServerPlace>) -> [NodeReference: Condition] {
        var conditions: [NodeReference: Condition] = [:]
        for (backend, servers) in expected.servers {
            for (name, server) in servers where !server.isLeaving {
                let place = ServerPlace(backend: backend, server: name)
                let condition = actual.servers[backend]?[name]?.condition ?? .disabled
                guard condition != server.condition, !nodes.contains(place.node), let node = NodeReference(place)
                else { continue }
                conditions[node] = condition
            }
        }
        return conditions
    }
}

extension LiveServer {
    /// What its state comes to for clients.
    fileprivate var condition: Condition {
        switch state {
        case .maint: .disabled
        case .drain: .draining
        case .ready: server.weight.value == 0 ? .draining : .enabled
        }
    }
}

extension Configuration {
    /// The nodes whose servers another configuration has otherwise, or that only one of the two has.
    func changedNodes(to other: Configuration) -> Set<ServerPlace> {
        var before: [ServerPlace: Server] = [:]
        for backend in backends {
            for server in backend.servers { before[ServerPlace(backend: backend.name, server: server.name)] = server }
        }
        var changed: Set<ServerPlace> = []
        for backend in other.backends {
            for server in backend.servers {
                let place = ServerPlace(backend: backend.name, server: server.name)
                if before.removeValue(forKey: place) != server { changed.insert(place) }
            }
        }
        return changed.union(before.keys)
    }
}

extension LiveState {
    /// Takes the servers that are there for these nodes, and the numbers, from another state.
    fileprivate mutating func replaceServers(of nodes: Set<ServerPlace>, with other: LiveState) {
        for (backend, list) in servers {
            for name in list.keys where nodes.contains(ServerPlace(backend: backend, server: name.plain)) {
                remove(ServerPlace(backend: backend, server: name))
            }
        }
        for (backend, list) in other.servers {
            skipNumbers(of: backend, upTo: other.highestNumbers[backend] ?? 0)
            for (name, server) in list where nodes.contains(ServerPlace(backend: backend, server: name.plain)) {
                insert(server, at: ServerPlace(backend: backend, server: name))
            }
        }
    }
}
