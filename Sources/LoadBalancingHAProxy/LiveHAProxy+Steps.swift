internal import HAProxy
internal import LoadBalancing

extension LiveHAProxy {
    /// Performs the steps of a plan, in order, up to the first that HAProxy refuses.
    ///
    /// - Throws: ``DriverError`` with HAProxy's words, and the node of the step that it refused.
    func perform(_ steps: [PlanStep]) async throws(DriverError) {
        guard !steps.isEmpty else { return }
        var batches: [(step: PlanStep, commands: [RuntimeCommand])] = []
        do throws(HAProxyError) {
            let down = try await successorsOfDown(in: steps)
            for step in steps {
                var commands = try step.commands()
                // A server that leaves maintenance counts as up until it is checked.
                if case .setState(let place, .ready) = step, down.contains(place) {
                    commands.append(.setServerHealth(place.backend, place.server, .down))
                }
                batches.append((step, commands))
            }
            try await runtime.perform(batches.flatMap(\.commands))
        } catch {
            let refused = error.command.flatMap { command in batches.first { $0.commands.contains(command) } }
            let node = refused?.step.place.flatMap(NodeReference.init)
            throw DriverError(error, failedNodes: node.map { [$0] } ?? [])
        }
    }

    /// The servers that take the place of others which checks have found down.
    private func successorsOfDown(in steps: [PlanStep]) async throws(HAProxyError) -> Set<ServerPlace> {
        var opened: [ServerPlace: ServerName] = [:]
        for case .setState(let place, .ready) in steps { opened[place.node] = place.server }
        var successors: [ProxyName: [String: ServerName]] = [:]
        for case .retire(let place, .maint) in steps {
            successors[place.backend, default: [:]][place.server.description] = opened[place.node]
        }
        var down: Set<ServerPlace> = []
        for (backend, names) in successors {
            for row in try await runtime.serversState(backend: backend).rows
            where row.isDown && row.adminState == .ready {
                if let name = names[row.name] { down.insert(ServerPlace(backend: backend, server: name)) }
            }
        }
        return down
    }

    /// Reads back the servers that steps changed.
    ///
    /// Only their backends are read: HAProxy needs 7 ms for 10,000 servers.
    ///
    /// - Returns: Those that HAProxy has otherwise than `live`, and what runs in fact.
    func readBack(
        _ steps: [PlanStep], in live: LiveState
    ) async throws(DriverError) -> (others: [ServerPlace], actual: LiveState) {
        var touched: [ProxyName: Set<ServerName>] = [:]
        for step in steps {
            if let place = step.place { touched[place.backend, default: []].insert(place.server) }
        }
        var others: [ServerPlace] = []
        var actual = live
        do throws(HAProxyError) {
            for (backend, servers) in touched {
                let state = try await runtime.serversState(backend: backend)
                var rows: [String: ServersState.Row] = [:]
                let names = Set(servers.map(\.description))
                for row in state.rows where names.contains(row.name) { rows[row.name] = row }
                for name in servers {
                    guard let expected = live.servers[backend]?[name] else { continue }
                    let row = rows[name.description]
                    if let row, try expected.isConfirmed(by: row) { continue }
                    let place = ServerPlace(backend: backend, server: name)
                    others.append(place)
                    try actual.observe(row, at: place)
                }
            }
        } catch {
            throw DriverError(error)
        }
        return (others.sorted { "\($0)" < "\($1)" }, actual)
    }

    /// What the process that answers serves, if it was started with a configuration; nil when its proxies or listeners are
    /// not those of the configuration.
    ///
    /// What it served earlier tells which servers are there for which nodes, and where host names led to; `leaving` are the
    /// servers that were removed and may still be there.
    func observe(
        _ configuration: Configuration, after earlier: LiveState? = nil, leaving: Set<ServerPlace> = []
    ) async throws(HAProxyError) -> Sight? {
        guard try await showsProxies(of: configuration) else { return nil }
        var live = LiveState(configuration)
        if let earlier { live.remember(earlier) }
        let state = try await runtime.serversState()
        let names = Set(leaving.map(\.description))
        let staying = state.rows.filter { names.isEmpty || !names.contains("\($0.backend)/\($0.name)") }
        try live.recognizeSuccessors(in: ServersState(rows: staying), after: earlier)
        try live.recognizeLeaving(leaving, in: state)
        for backend in configuration.backends where backend.stickTable != nil {
            let known = live.highestNumbers[backend.name] ?? 0
            let number = try await runtime.highestServerNumber(inTableOf: backend.name, above: known)
            if let number { live.skipNumbers(of: backend.name, upTo: number) }
        }
        return try Self.sight(of: live, in: state)
    }

    /// What the process that answers serves, if it was made to serve this; nil when other proxies run, or listen.
    func look(at expected: LiveState) async throws(HAProxyError) -> Sight? {
        guard try await showsProxies(of: expected.fixed) else { return nil }
        return try Self.sight(of: expected, in: try await runtime.serversState())
    }

    private static func sight(of expected: LiveState, in state: ServersState) throws(HAProxyError) -> Sight {
        var sight = Sight(expected: expected, actual: expected)
        try sight.actual.observe(state, of: expected.fixed.backends.map(\.name))
        sight.expected.recognizeAddresses(in: sight.actual)
        return sight
    }

    /// Whether the proxies that run are those of a configuration, and listen as it says.
    func showsProxies(of configuration: Configuration) async throws(HAProxyError) -> Bool {
        let statistics = try await runtime.statistics(kinds: [.frontends, .backends])
        return Expectation(configuration).isMet(by: statistics)
    }
}
