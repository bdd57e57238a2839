internal import HAProxy

/// A server of a backend.
struct ServerPlace: Hashable, Sendable, CustomStringConvertible {
    let backend: ProxyName
    let server: ServerName

    var description: String { "\(backend)/\(server)" }

    /// The place of the first server that was there for the same node.
    var node: ServerPlace { ServerPlace(backend: backend, server: server.plain) }
}

/// One change of a running HAProxy.
enum PlanStep: Equatable, Sendable {
    /// A new server with this number, in maintenance, its checks running, and with the cookie that follows from its
    /// address and port where its backend gives such.
    case add(ProxyName, Server, at: Address, number: Int, withCookie: Bool)
    /// Another address or host name, and where that is.
    case setAddress(ServerPlace, Address, Port, at: Address)
    /// How many connections it takes at a time; nil or 0 sets no limit.
    case setLimit(ServerPlace, Count?)
    case setFrontendLimit(ProxyName, Count)
    case setWeight(ServerPlace, Weight)
    case setState(ServerPlace, RuntimeCommand.ServerAdminState)
    /// Starts the checks that somebody has stopped.
    case enableHealth(ServerPlace)
    /// Takes a server out of service, or drains it; it is removed behind the reply, when its connections have ended.
    case retire(ServerPlace, into: RuntimeCommand.ServerAdminState)

    /// The commands that it consists of.
    ///
    /// - Throws: ``HAProxyError`` for an address that is a host name, which no plan has in a step.
    func commands() throws(HAProxyError) -> [RuntimeCommand] {
        switch self {
        case .add(let backend, var server, let address, let number, let withCookie):
            let port = server.port
            server.address = address
            // HAProxy 2.6 computes the cookie of a server when its port changes, not when it is added. (For all servers of a
            // backend there is a command as well; it compares each with each, which takes 0.5 s for 10,000.)
            if withCookie { server.port = try Port(port.number == 1 ? 2 : 1) }
            var commands = [try RuntimeCommand.addServer(backend, server, number: try Count(number))]
            if withCookie { commands.append(try .setServerAddress(backend, server.name, address, port: port)) }
            // Only now, so that no check goes to the other port.
            if server.check != nil { commands.append(.enableHealth(backend, server.name)) }
            return commands
        case .setAddress(let place, _, let port, let address):
            return [try .setServerAddress(place.backend, place.server, address, port: port)]
        case .setLimit(let place, let limit):
            return [.setMaxconnServer(place.backend, place.server, try Count(Int(limit?.value ?? 0)))]
        case .setFrontendLimit(let frontend, let limit): return [.setMaxconnFrontend(frontend, limit)]
        case .setWeight(let place, let weight): return [.setWeight(place.backend, place.server, weight)]
        case .setState(let place, let state): return [.setServerState(place.backend, place.server, state)]
        case .enableHealth(let place): return [.enableHealth(place.backend, place.server)]
        case .retire(let place, let state): return [.setServerState(place.backend, place.server, state)]
        }
    }

    /// Whether HAProxy can be asked if it was done; it shows no limits.
    var isVisible: Bool {
        switch self {
        case .setLimit, .setFrontendLimit: false
        default: true
        }
    }

    /// The server that it changes; nil when it changes none in particular.
    var place: ServerPlace? {
        switch self {
        case .add(let backend, let server, _, _, _): ServerPlace(backend: backend, server: server.name)
        case .setFrontendLimit: nil
        case .setAddress(let place, _, _, _), .setLimit(let place, _), .setWeight(let place, _),
            .setState(let place, _), .enableHealth(let place), .retire(let place, _):
            place
        }
    }
}

extension PlanStep: CustomStringConvertible {
    /// The step for a person.
    var description: String {
        switch self {
        case .add(let backend, let server, let at, _, _):
            "add \(backend)/\(server.name) at \(endpoint(server.address, server.port, at)), weight \(server.weight)"
                + (server.isBackup ? ", backup" : "") + (server.isDisabled ? ", in maintenance" : "")
        case .setAddress(let place, let address, let port, let at): "move \(place) to \(endpoint(address, port, at))"
        case .setLimit(let place, let limit) where (limit?.value ?? 0) == 0: "lift the connection limit of \(place)"
        case .setLimit(let place, let limit): "set the connection limit of \(place) to \(limit?.value ?? 0)"
        case .setFrontendLimit(let frontend, let limit): "set the connection limit of \(frontend) to \(limit)"
        case .setWeight(let place, let weight): "set the weight of \(place) to \(weight)"
        case .setState(let place, .ready): "put \(place) in service"
        case .setState(let place, .drain): "drain \(place)"
        case .setState(let place, .maint): "take \(place) out of service"
        case .enableHealth(let place): "check \(place) again"
        case .retire(let place, .maint): "take \(place) out of service and remove it"
        case .retire(let place, _): "drain and remove \(place)"
        }
    }

    private func endpoint(_ address: Address, _ port: Port, _ resolved: Address) -> String {
        let text = address.kind == .ipv6 ? "[\(address)]:\(port)" : "\(address):\(port)"
        return address == resolved ? text : "\(text) (\(resolved))"
    }
}
