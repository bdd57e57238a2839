internal import HAProxy

/// What a HAProxy process serves: the configuration it was started with, and what was changed in it since.
struct LiveState: Sendable, Equatable {
    /// What can only be changed by a reload; the backends have no servers here.
    private(set) var fixed: Configuration
    /// The servers of each backend.
    private(set) var servers: [ProxyName: [ServerName: LiveServer]]
    /// The highest number that a server of each backend had, also one that is gone: no number is given twice, for entries of a
    /// stick table would lead the clients of the one to the other.
    private(set) var highestNumbers: [ProxyName: Int]
    /// Below it HAProxy numbers servers by itself, so that one which somebody adds by hand is in nobody's way.
    static let firstNumber = 1_000_000

    /// A process that was started with a configuration.
    init(_ configuration: Configuration) {
        fixed = configuration.withoutServers
        servers = [:]
        highestNumbers = [:]
        for backend in configuration.backends {
            var list: [ServerName: LiveServer] = [:]
            list.reserveCapacity(backend.servers.count)
            for server in backend.servers { list[server.name] = LiveServer(server) }
            servers[backend.name] = list
            highestNumbers[backend.name] = max(backend.servers.count, Self.firstNumber - 1)
        }
    }

    /// Takes over what HAProxy says of the servers of these backends, in the place of what was thought of them.
    ///
    /// HAProxy does not tell how often a server is checked, nor whether it is a backup; that stays as it was thought to be.
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
            highestNumbers[name] = max(highestNumbers[name] ?? 0, row.number)
            let server: LiveServer
            if let thought = list[row.name] {
                var observed = try thought.observed(row)
                if observed.state != thought.state { observed.isLeaving = false }
                server = observed
            } else {
                server = try LiveServer(stranger: row)
            }
            servers[name]?[server.server.name] = server
        }
    }

    /// Takes over how many connections HAProxy gives to each server at a time, which only its statistics tell.
    ///
    /// - Throws: ``HAProxyError`` when a row has a number that HAProxy could not have given it.
    mutating func observeLimits(in statistics: Statistics) throws(HAProxyError) {
        var known: [String: (name: ProxyName, servers: [String: ServerName])] = [:]
        for (name, list) in servers {
            let names = list.keys.map { ($0.description, $0) }
            known[name.description] = (name, Dictionary(names, uniquingKeysWith: { first, _ in first }))
        }
        for row in statistics.rows where row.kind == .server {
            guard let (backend, list) = known[row.proxy], let server = list[row.server] else { continue }
            let limit = servers[backend]?[server]?.server.maximumConnections?.value ?? 0
            let actual = row.sessionLimit ?? 0
            guard UInt64(limit) != actual else { continue }
            servers[backend]?[server]?.server.maximumConnections = try Count(Int(clamping: actual))
        }
    }

    /// Takes over what HAProxy says of one server, or that it is gone.
    ///
    /// - Throws: ``HAProxyError`` when the row has what HAProxy could not have said.
    mutating func observe(_ row: ServersState.Row?, at place: ServerPlace) throws(HAProxyError) {
        guard let row, let thought = servers[place.backend]?[place.server] else { return remove(place) }
        var server = try thought.observed(row)
        // One that somebody put in another state does not just wait for its connections to end.
        if server.state != thought.state { server.isLeaving = false }
        servers[place.backend]?[place.server] = server
    }

    /// Takes note of a number that entries of a backend's stick table still have, though the server may be gone.
    mutating func skipNumbers(of backend: ProxyName, upTo number: Int) {
        highestNumbers[backend] = max(highestNumbers[backend] ?? 0, number)
    }

    /// Finds out which servers are there for the nodes of the configuration that this state was made from, where servers
    /// have been replaced since.
    ///
    /// Where an earlier state is known, it is the one of that; else the one in service. Where that is none or several, HAProxy
    /// does not tell, and the node gets a new one.
    mutating func recognizeSuccessors(in state: ServersState, after earlier: LiveState?) throws(HAProxyError) {
        var lines: [ServerPlace: [ServersState.Row]] = [:]
        for row in state.rows where row.name.utf8.contains(UInt8(ascii: ".")) {
            let name = try ServerName(row.name)
            guard name.isSuccessor else { continue }
            lines[ServerPlace(backend: try ProxyName(row.backend), server: name.plain), default: []].append(row)
        }
        guard !lines.isEmpty else { return }
        for row in state.rows {
            let place = ServerPlace(backend: try ProxyName(row.backend), server: try ServerName(row.name))
            if lines[place] != nil { lines[place]?.append(row) }
        }
        for (place, line) in lines {
            guard var server = servers[place.backend]?.removeValue(forKey: place.server) else { continue }
            let known = line.filter { row in
                guard let name = try? ServerName(row.name) else { return false }
                return earlier?.servers[place.backend]?[name]?.isLeaving == false
            }
            let inService = line.filter { $0.adminState == .ready }
            let choices = earlier == nil ? [inService, line] : [known]
            guard let row = choices.first(where: { $0.count == 1 })?.first else { continue }
            server.server.name = try ServerName(row.name)
            servers[place.backend]?[server.server.name] = server
        }
    }

    /// Takes over the numbers that were given in an earlier state, and where its host names led to.
    mutating func remember(_ earlier: LiveState) {
        for (backend, list) in earlier.servers {
            highestNumbers[backend] = max(highestNumbers[backend] ?? 0, earlier.highestNumbers[backend] ?? 0)
            for server in list.values where server.server.address.kind == .hostName {
                let name = server.server.name.plain
                guard servers[backend]?[name]?.server.address == server.server.address else { continue }
                servers[backend]?[name]?.address = server.address
            }
        }
    }

    /// Where the servers with host names are.
    var resolved: [Address: Address] {
        var resolved: [Address: Address] = [:]
        for server in servers.values.lazy.flatMap(\.values) where server.server.address.kind == .hostName {
            resolved[server.server.address] = server.address
        }
        return resolved
    }

    /// Takes note that a step was done.
    mutating func apply(_ step: PlanStep) {
        switch step {
        case .add(let backend, let server, let address, let number, _):
            highestNumbers[backend] = number
            servers[backend]?[server.name] = LiveServer(server)
            servers[backend]?[server.name]?.state = .maint
            servers[backend]?[server.name]?.address = address
        case .setAddress(let place, let wanted, let port, let address):
            servers[place.backend]?[place.server]?.server.address = wanted
            servers[place.backend]?[place.server]?.server.port = port
            servers[place.backend]?[place.server]?.address = address
        case .setLimit(let place, let limit):
            servers[place.backend]?[place.server]?.server.maximumConnections = limit
        case .setFrontendLimit(let name, let limit):
            for index in fixed.frontends.indices where fixed.frontends[index].name == name {
                fixed.frontends[index].maximumConnections = limit
            }
        case .setWeight(let place, let weight): servers[place.backend]?[place.server]?.server.weight = weight
        case .setState(let place, let state):
            servers[place.backend]?[place.server]?.state = state
            servers[place.backend]?[place.server]?.isLeaving = false
        case .enableHealth(let place): servers[place.backend]?[place.server]?.isChecked = true
        case .retire(let place, let state):
            servers[place.backend]?[place.server]?.state = state
            servers[place.backend]?[place.server]?.isLeaving = true
        }
    }

    /// Takes note of the servers that an earlier worker had removed; one that is in service again was somebody's wish.
    mutating func recognizeLeaving(_ places: Set<ServerPlace>, in state: ServersState) throws(HAProxyError) {
        for row in state.rows where row.adminState == .maint {
            let place = ServerPlace(backend: try ProxyName(row.backend), server: try ServerName(row.name))
            guard places.contains(place), servers[place.backend]?[place.server] == nil else { continue }
            var server = try LiveServer(stranger: row)
            server.isLeaving = true
            insert(server, at: place)
        }
    }

    /// Takes note of where HAProxy found host names when it started.
    mutating func recognizeAddresses(in other: LiveState) {
        for (backend, list) in servers {
            for (name, server) in list where server.address == nil {
                servers[backend]?[name]?.address = other.servers[backend]?[name]?.address
            }
        }
    }

    /// Takes note of a server of a backend that there is.
    mutating func insert(_ server: LiveServer, at place: ServerPlace) {
        servers[place.backend]?[place.server] = server
    }

    /// Whether there is a server for every one of a configuration.
    func hasServers(of configuration: Configuration) -> Bool {
        configuration.backends.allSatisfy { backend in
            let list = servers[backend.name] ?? [:]
            return backend.servers.allSatisfy { list[$0.name] != nil }
        }
    }

    /// Takes note that a server is gone.
    mutating func remove(_ place: ServerPlace) {
        servers[place.backend]?[place.server] = nil
    }

    /// The servers that will only wait for their connections to end when these steps are done.
    func leaving(of process: HAProxyProcess, after steps: [PlanStep]) -> LeavingServers? {
        var state = self
        for step in steps { state.apply(step) }
        let places = Set(state.leaving)
        return places.isEmpty ? nil : LeavingServers(process: process, places: places)
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
    /// Where it is; nil for a host name that HAProxy has looked up itself, as long as it was not asked.
    var address: Address?
    /// Whether its checks go on, or would if it were not in maintenance.
    var isChecked: Bool
    /// Where its checks go when that is another address than its own, which no configuration says.
    var checkAddress: String?

    /// A server as a configuration has it.
    init(_ server: Server) {
        self.server = server
        self.server.isDisabled = false
        state = server.isDisabled ? .maint : .ready
        isChecked = server.check != nil
        address = server.address.kind == .hostName ? nil : server.address
    }

    /// A server that nobody here has added.
    init(stranger row: ServersState.Row) throws(HAProxyError) {
        server = Server(
            name: try ServerName(row.name), address: try Address(row.address == "-" ? "0.0.0.0" : row.address),
            port: try Port(max(row.port, 1)), weight: try Weight(row.weight))
        state = row.adminState
        address = server.address
        isChecked = row.isChecked
        checkAddress = row.checkAddress
    }

    /// The server with what HAProxy says of it.
    func observed(_ row: ServersState.Row) throws(HAProxyError) -> LiveServer {
        var observed = self
        if row.address != address?.description, row.address != "-" {
            observed.address = try Address(row.address)
            // What a host name's first address is, is for HAProxy to say; later ones are somebody's doing.
            if let actual = observed.address, address != nil { observed.server.address = actual }
        }
        if row.port != server.port.number { observed.server.port = try Port(row.port) }
        if row.weight != server.weight.value { observed.server.weight = try Weight(row.weight) }
        let checkPort = row.checkPort > 0 ? try Port(row.checkPort) : nil
        if checkPort != server.check?.port { observed.server.check?.port = checkPort }
        observed.isChecked = row.isChecked
        observed.checkAddress = row.checkAddress
        observed.state = row.adminState
        return observed
    }

    /// Whether HAProxy says that the server is like this.
    func isConfirmed(by row: ServersState.Row) throws(HAProxyError) -> Bool {
        let observed = try observed(row)
        return observed.server == server && observed.state == state && observed.isChecked == isChecked
            && observed.checkAddress == checkAddress
    }
}

extension Configuration {
    var withoutServers: Configuration {
        var copy = self
        for index in copy.backends.indices { copy.backends[index].servers = [] }
        return copy
    }
}
