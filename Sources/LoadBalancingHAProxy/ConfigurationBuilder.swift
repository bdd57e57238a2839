internal import HAProxy
internal import LoadBalancing

/// Turns the state of a host into a configuration of HAProxy.
///
/// A pure function of the state and the options: the same state gives the same text, on every host and after every restart.
struct ConfigurationBuilder: Sendable {
    /// What does not depend on the balancers.
    let global: Global
    /// What nobody can guess who knows the addresses that nodes may have; nil leaves their cookies to be guessed.
    var cookieKey: CookieKey?

    private static let persistenceCookie = "SERVERID"

    func configuration(for state: HostState) throws(HAProxyError) -> Configuration {
        var configuration = Configuration()
        configuration.header = [
            try Comment("Written by libra_worker, which overwrites it with each change: edits by hand are lost."),
            try Comment("What is here comes from the last UPDATE on this host's job queue."),
        ]
        configuration.global = global
        configuration.defaults.timeouts = Timeouts(
            client: try Milliseconds(30_000), connect: try Milliseconds(30_000), server: try Milliseconds(30_000))
        for balancer in state.balancers {
            configuration.frontends.append(try frontend(balancer, isSuspended: state.phase == .suspended))
            configuration.backends.append(try backend(balancer))
        }
        return configuration
    }

    func bind(_ balancer: LoadBalancer) throws(HAProxyError) -> Bind {
        Bind(try Address(balancer.address.description), port: try Port(balancer.port.value))
    }

    private func frontend(_ balancer: LoadBalancer, isSuspended: Bool) throws(HAProxyError) -> Frontend {
        var frontend = Frontend(
            name: try ProxyName(balancer.key.frontendName), mode: balancer.mode, binds: [try bind(balancer)],
            defaultBackend: try ProxyName(balancer.key.backendName))
        frontend.isDisabled = isSuspended
        frontend.logFormat = balancer.mode == .http ? .http : .tcp
        frontend.forwardsClientAddress = balancer.mode == .http
        // A reload must not cost a request; `hard-stop-after` bounds how long a client may take to make its last one.
        frontend.keepsIdleConnectionsWhenReplaced = balancer.mode == .http
        // METRICS has what passes while it passes, and a HAProxy that is killed takes little of it with it.
        frontend.countsContinuously = true
        frontend.clientTimeout = try Milliseconds(balancer.options.clientTimeout.value)
        return frontend
    }

    private func backend(_ balancer: LoadBalancer) throws(HAProxyError) -> Backend {
        let name = try ProxyName(balancer.key.backendName)
        var backend = Backend(name: name, mode: balancer.mode, balance: balancer.balance)
        switch balancer.protocol {
        case .http:
            // With a key the value of a node's cookie follows from its address and port, so that a node added at run time
            // has one as well, and hosts with the same balancer give the same cookies.
            let key = [balancer.key.backendName, cookieKey?.text].compactMap(\.self).joined(separator: ":")
            backend.cookie = CookiePersistence(name: try Word(Self.persistenceCookie), dynamicKey: try Word(key))
        case .tcp:
            backend.stickTable = StickTable(
                key: balancer.listensOnIPv6 ? .ipv6 : .ipv4, size: try Count(200 * 1024),
                expiry: try Milliseconds(30 * 60_000))
        case .galera:
            // One node takes all traffic: there is nothing to stick to.
            break
        }
        // What checks have found is still known after a reload.
        backend.loadsServerState = global.serverStateFile != nil
        backend.retries = try Count(balancer.options.connectRetries.value)
        backend.timeouts.connect = try Milliseconds(balancer.options.connectTimeout.value)
        backend.timeouts.server = try Milliseconds(balancer.options.serverTimeout.value)
        if let monitor = balancer.monitor {
            backend.timeouts.check = try Milliseconds(monitor.timeout.value * 1000)
            if monitor.kind == .http {
                backend.httpCheck = HTTPCheck(path: try RequestPath(monitor.path.description))
            }
        }
        let check = try check(balancer.monitor)
        backend.servers.reserveCapacity(balancer.nodes.count)
        for node in balancer.nodes { backend.servers.append(try server(node, check: check)) }
        return backend
    }

    private func server(_ node: Node, check: ServerCheck) throws(HAProxyError) -> Server {
        // HAProxy's configuration knows no word for draining; with a weight of zero a node takes nothing new.
        let weight = node.condition == .draining ? 0 : node.weight.value
        var server = Server(
            name: try ServerName(node.key.serverName), address: try Address(node.address.description),
            port: try Port(node.port.value), weight: try Weight(weight), check: check)
        server.isBackup = node.isBackup
        server.isDisabled = node.condition == .disabled
        // A name that cannot be resolved when the host boots takes out its node, not all of HAProxy.
        if case .host = node.address { server.initialAddress = [.last, .libc, .none] }
        return server
    }

    private func check(_ monitor: Monitor?) throws(HAProxyError) -> ServerCheck {
        guard let monitor else { return ServerCheck(interval: try Milliseconds(30_000)) }
        let attempts = try Count(monitor.attempts.value)
        return ServerCheck(interval: try Milliseconds(monitor.delay.value * 1000), rise: attempts, fall: attempts)
    }
}

extension LoadBalancer {
    fileprivate var mode: Mode { self.protocol == .http ? .http : .tcp }

    fileprivate var balance: Backend.Balance {
        switch algorithm {
        case .roundRobin: .roundRobin
        case .leastConnections: .leastConnections
        }
    }

    fileprivate var listensOnIPv6: Bool {
        if case .v6 = address.ip { true } else { false }
    }
}
