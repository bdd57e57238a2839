internal import HAProxy

/// What a HAProxy process serves: the configuration it was started with, and what was changed in it since.
struct LiveState: Sendable, Equatable {
    /// What can only be changed by a reload; the backends have no servers here.
    let fixed: Configuration
    /// The servers of each backend.
    private(set) var servers: [ProxyName: [ServerName: LiveServer]]

    /// A process that was started with a configuration.
    init(_ configuration: Configuration) {
        fixed = configuration.withoutServers
        servers = [:]
        for backend in configuration.backends {
            var list: [ServerName: LiveServer] = [:]
            list.reserveCapacity(backend.servers.count)
            for server in backend.servers { list[server.name] = LiveServer(server) }
            servers[backend.name] = list
        }
    }

    /// Takes over what HAProxy says of the servers of these backends, in the place of what was thought of them.
    ///
    /// HAProxy does not tell how a server is checked, nor whether it is a backup; that stays as it was thought to be.
    ///
    /// - Throws: ``HAProxyError`` when a row has a name or a number that HAProxy could not have given it.
    mutating func observe(_ state: ServersState, of backends: [ProxyName]) throws(HAProxyError) {
        var known: [String: (name: ProxyName, servers: [String: LiveServer])] = [:]
        for name in backends {
            var list: [String: LiveServer] = [:]
            for server in (servers[name] ?? [:]).values { list[server.server.name.description] = server }
            known[name.description] = (name, list)
            servers[name] = [:]
        }
        for row in state.rows {
            guard let (name, list) = known[row.backend] else { continue }
            let server: LiveServer
            if let thought = list[row.name] {
                server = try thought.observed(row)
            } else {
                server = try LiveServer(stranger: row)
            }
            servers[name]?[server.server.name] = server
        }
    }

    /// Takes note that a step was done.
    mutating func apply(_ step: PlanStep) {
        switch step {
        case .add(let backend, let server):
            servers[backend]?[server.name] = LiveServer(server)
            servers[backend]?[server.name]?.state = .maint
        case .enableDynamicCookie: break
        case .setAddress(let place, let address, let port):
            servers[place.backend]?[place.server]?.server.address = address
            servers[place.backend]?[place.server]?.server.port = port
        case .setWeight(let place, let weight): servers[place.backend]?[place.server]?.server.weight = weight
        case .setState(let place, let state):
            servers[place.backend]?[place.server]?.state = state
            servers[place.backend]?[place.server]?.isLeaving = false
        case .retire(let place):
            servers[place.backend]?[place.server]?.state = .drain
            servers[place.backend]?[place.server]?.isLeaving = true
        }
    }

    /// Takes note that a server is gone.
    mutating func remove(_ place: ServerPlace) {
        servers[place.backend]?[place.server] = nil
    }

    /// The servers that only wait for their connections to end.
    var leaving: [ServerPlace] {
        servers.flatMap { backend, list in
            list.values.filter(\.isLeaving).map { ServerPlace(backend: backend, server: $0.server.name) }
        }
    }
}

/// A server as it runs.
struct LiveServer: Sendable, Equatable {
    /// Its properties; never disabled, for that is in `state`.
    var server: Server
    var state: RuntimeCommand.ServerAdminState
    /// Whether it was removed, and only waits for its connections to end.
    var isLeaving = false

    /// A server as a configuration has it.
    init(_ server: Server) {
        self.server = server
        self.server.isDisabled = false
        state = server.isDisabled ? .maint : .ready
    }

    /// A server that nobody here has added.
    init(stranger row: ServersState.Row) throws(HAProxyError) {
        server = Server(
            name: try ServerName(row.name), address: try Address(row.address == "-" ? "0.0.0.0" : row.address),
            port: try Port(max(row.port, 1)), weight: try Weight(row.weight))
        state = row.adminState
    }

    /// The server with what HAProxy says of it.
    func observed(_ row: ServersState.Row) throws(HAProxyError) -> LiveServer {
        var observed = self
        // The address of a host name is the resolver's affair.
        if server.address.kind != .hostName, row.address != server.address.description {
            observed.server.address = try Address(row.address)
        }
        if row.port != server.port.number { observed.server.port = try Port(row.port) }
        if row.weight != server.weight.value { observed.server.weight = try Weight(row.weight) }
        observed.state = row.adminState
        return observed
    }
}

extension Configuration {
    var withoutServers: Configuration {
        var copy = self
        for index in copy.backends.indices { copy.backends[index].servers = [] }
        return copy
    }
}
