internal import HAProxy

/// A server of a backend.
struct ServerPlace: Hashable, Sendable, CustomStringConvertible {
    let backend: ProxyName
    let server: ServerName

    var description: String { "\(backend)/\(server)" }
}

/// One change of a running HAProxy.
enum PlanStep: Equatable, Sendable {
    /// A new server, in maintenance, its checks running.
    case add(ProxyName, Server)
    /// Cookies for the servers that a backend got; HAProxy computes those of all its servers, 0.4 s for 10,000.
    case enableDynamicCookie(ProxyName)
    case setAddress(ServerPlace, Address, Port)
    case setWeight(ServerPlace, Weight)
    case setState(ServerPlace, RuntimeCommand.ServerAdminState)
    /// Drains a server; it is removed behind the reply, when its connections have ended.
    case retire(ServerPlace)

    /// The commands that it consists of.
    ///
    /// - Throws: ``HAProxyError`` for a host name, which no plan has in a step.
    func commands() throws(HAProxyError) -> [RuntimeCommand] {
        switch self {
        case .add(let backend, let server):
            let add = try RuntimeCommand.addServer(backend, server)
            return server.check == nil ? [add] : [add, .enableHealth(backend, server.name)]
        case .enableDynamicCookie(let backend): return [.enableDynamicCookie(backend)]
        case .setAddress(let place, let address, let port):
            return [try .setServerAddress(place.backend, place.server, address, port: port)]
        case .setWeight(let place, let weight): return [.setWeight(place.backend, place.server, weight)]
        case .setState(let place, let state): return [.setServerState(place.backend, place.server, state)]
        case .retire(let place): return [.setServerState(place.backend, place.server, .drain)]
        }
    }

    /// The backend that it changes.
    var backend: ProxyName {
        switch self {
        case .add(let backend, _), .enableDynamicCookie(let backend): backend
        case .setAddress(let place, _, _), .setWeight(let place, _), .setState(let place, _), .retire(let place):
            place.backend
        }
    }

    /// The server that it changes; nil when it changes none in particular.
    var server: ServerName? {
        switch self {
        case .add(_, let server): server.name
        case .enableDynamicCookie: nil
        case .setAddress(let place, _, _), .setWeight(let place, _), .setState(let place, _), .retire(let place):
            place.server
        }
    }
}

extension PlanStep: CustomStringConvertible {
    /// The step for a person.
    var description: String {
        switch self {
        case .add(let backend, let server):
            "add \(backend)/\(server.name) at \(endpoint(server.address, server.port)), weight \(server.weight)"
                + (server.isBackup ? ", backup" : "") + (server.isDisabled ? ", in maintenance" : "")
        case .enableDynamicCookie(let backend): "give the new servers of \(backend) their cookies"
        case .setAddress(let place, let address, let port): "move \(place) to \(endpoint(address, port))"
        case .setWeight(let place, let weight): "set the weight of \(place) to \(weight)"
        case .setState(let place, .ready): "put \(place) in service"
        case .setState(let place, .drain): "drain \(place)"
        case .setState(let place, .maint): "take \(place) out of service"
        case .retire(let place): "drain and remove \(place)"
        }
    }

    private func endpoint(_ address: Address, _ port: Port) -> String {
        address.kind == .ipv6 ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}
