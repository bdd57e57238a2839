internal import HAProxy
internal import LoadBalancing

extension LiveHAProxy {
    /// Performs the steps of a plan, in order, up to the first that HAProxy refuses.
    func perform(_ steps: [PlanStep]) async throws(HAProxyError) {
        var commands: [RuntimeCommand] = []
        for step in steps { commands += try step.commands() }
        guard !commands.isEmpty else { return }
        try await runtime.perform(commands)
    }

    /// Makes sure that HAProxy has the servers that steps changed as `live` has them.
    ///
    /// Only their backends are read: HAProxy needs 7 ms for 10,000 servers.
    func confirm(_ steps: [PlanStep], in live: LiveState) async throws(HAProxyError) {
        var touched: [ProxyName: Set<ServerName>] = [:]
        for step in steps {
            if let server = step.server { touched[step.backend, default: []].insert(server) }
        }
        for (backend, servers) in touched {
            let state = try await runtime.serversState(backend: backend)
            var rows: [String: ServersState.Row] = [:]
            let names = Set(servers.map(\.description))
            for row in state.rows where names.contains(row.name) { rows[row.name] = row }
            for name in servers {
                guard let expected = live.servers[backend]?[name] else { continue }
                guard let row = rows[name.description], try expected.observed(row) == expected else {
                    throw HAProxyError(
                        .commandRefused,
                        "HAProxy accepted every step, and yet server \(backend)/\(name) is not as it was asked for")
                }
            }
        }
    }

    /// What the process that answers serves, if it was started with a configuration; nil when its proxies or listeners are
    /// not those of the configuration.
    func observe(_ configuration: Configuration) async throws(HAProxyError) -> LiveState? {
        guard try await showsProxies(of: configuration) else { return nil }
        var live = LiveState(configuration)
        try live.observe(try await runtime.serversState(), of: configuration.backends.map(\.name))
        return live
    }

    /// Whether the proxies that run are those of a configuration, and listen as it says.
    func showsProxies(of configuration: Configuration) async throws(HAProxyError) -> Bool {
        let statistics = try await runtime.statistics(kinds: [.frontends, .backends])
        return Expectation(configuration).isMet(by: statistics)
    }
}
