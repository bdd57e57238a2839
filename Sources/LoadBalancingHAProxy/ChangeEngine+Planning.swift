internal import HAProxy
internal import LoadBalancing
internal import Logging

// Changes of the process that runs.
extension ChangeEngine {
    /// How what runs, nil when that is not known, becomes what is wanted.
    func plan(
        to wanted: Configuration, _ presence: LiveHAProxy.Presence, _ live: LiveState?,
        resolved: [Address: Address] = [:]
    ) -> Plan {
        guard case .process = presence else { return .reload(["HAProxy does not run"]) }
        guard let live else { return .reload(["what runs is not what was last asked for"]) }
        let plan = Planner.plan(from: live, to: wanted, resolved: resolved)
        return options.alwaysReloads && plan != .nothing ? .reload(["always_reload is set"]) : plan
    }

    /// Looks at what runs; nil when it is not what was last asked for, but for servers.
    ///
    /// What the process was made to serve is known from the last change; else it follows from the file on disk, when that is
    /// the one that was last asked for.
    func look(
        at presence: LiveHAProxy.Presence, _ current: [UInt8]?, asking haproxy: LiveHAProxy? = nil
    ) async -> Sight? {
        guard case .process(let process) = presence else { return nil }
        guard let live, live.process == process else { return await adopt(process, current, asking: haproxy) }
        return try? await (haproxy ?? self.haproxy).look(at: live.state)
    }

    /// What the process was last made to serve, where a change to `wanted` need not look at it first.
    ///
    /// Looking at all servers takes longer than a change of one. What somebody has done to a server that the change is
    /// about shows when it is read back, and what was done to others is repaired by the next comparison. A server that is
    /// added could meet one that somebody else has added under its name.
    func remembered(of presence: LiveHAProxy.Presence, for wanted: Configuration) -> LiveState? {
        guard options.reconciliation == .repair, case .process(let process) = presence, let live,
            live.process == process, live.state.hasServers(of: wanted)
        else { return nil }
        return live.state
    }

    /// The nodes that a configuration has otherwise than what was last asked for; none where it makes no difference, for
    /// all are repaired.
    func nodesChanged(by configuration: Configuration) throws(DriverError) -> Set<ServerPlace> {
        guard options.reconciliation != .repair else { return [] }
        return try rendered(store.current).configuration.changedNodes(to: configuration)
    }

    /// From where a change is planned: what was done by hand to other nodes than it changes is repaired, or left alone.
    func start(_ sight: Sight, changing nodes: Set<ServerPlace>) -> LiveState {
        options.reconciliation == .repair ? sight.actual : sight.start(changing: nodes)
    }

    /// Looks up the host names of nodes, in HAProxy's terms.
    func addresses(of balancers: [LoadBalancer]) async throws(DriverError) -> [Address: Address] {
        var addresses: [Address: Address] = [:]
        for (name, address) in try await resolver.addresses(of: balancers) {
            do {
                addresses[try Address(name.description)] = try Address(address.description)
            } catch {
                throw DriverError(error)
            }
        }
        return addresses
    }

    /// What a change to these balancers would do; HAProxy is asked over a connection of its own, so that nothing waits.
    ///
    /// While a change is being made, it is what would be done if that were undone: nobody was told yet that it is made.
    func preview(
        _ balancers: [LoadBalancer], asking runtime: RuntimeClient
    ) async throws(DriverError) -> ChangePlan {
        let addresses = try await addresses(of: balancers)
        while true {
            let moment = moments
            let phase: HostState.Phase = store.current.phase == .suspended ? .suspended : .active
            let target = HostState(phase: phase, balancers: balancers)
            let (wanted, whole) = try rendered(target)
            let text = options.cookieKey?.masked(in: whole) ?? whole
            let (presence, live) = try await whatRuns(asking: runtime, for: wanted)
            guard moment == moments else { continue }
            let plan = plan(to: wanted, presence, live, resolved: addresses)
            if plan.isReload { try await checkPorts(of: target, presence) }
            switch plan {
            case .nothing: return ChangePlan(reloadReasons: [], steps: [], configuration: text)
            case .steps(let steps):
                return ChangePlan(reloadReasons: [], steps: steps.map(ChangePlan.Step.init), configuration: text)
            case .reload(let reasons): return ChangePlan(reloadReasons: reasons, steps: [], configuration: text)
            }
        }
    }

    /// What runs, or what ran before the change that is being made.
    private func whatRuns(
        asking runtime: RuntimeClient, for wanted: Configuration
    ) async throws(DriverError) -> (LiveHAProxy.Presence, LiveState?) {
        if let underWay { return (underWay.presence ?? .absent, underWay.live) }
        let asking = LiveHAProxy(service: service, runtime: runtime)
        let nodes = try nodesChanged(by: wanted)
        let presence = try await asking.presence()
        if let state = remembered(of: presence, for: wanted) { return (presence, state) }
        let current = try await readConfiguration()
        return (presence, await look(at: presence, current, asking: asking).map { start($0, changing: nodes) })
    }

    /// What a process serves that an earlier worker, or somebody else, has started with the file on disk.
    func adopt(
        _ process: HAProxyProcess, _ current: [UInt8]?, asking haproxy: LiveHAProxy? = nil,
        after earlier: LiveState? = nil
    ) async -> Sight? {
        guard let current, let (configuration, text) = try? rendered(store.current), current.elementsEqual(text.utf8)
        else { return nil }
        var leaving = Set(earlier?.leaving ?? [])
        if let written = store.leaving, written.process == process { leaving.formUnion(written.places) }
        return try? await (haproxy ?? self.haproxy).observe(configuration, after: earlier, leaving: leaving)
    }

    /// Performs steps, and makes sure of what came of them.
    ///
    /// What somebody changed by hand shows when the servers of the steps are read back: then what is left to do to get
    /// `wanted` is planned from what is there, and done, once.
    func perform(
        _ steps: [PlanStep], towards wanted: Configuration? = nil, resolved: [Address: Address] = [:]
    ) async throws(DriverError) {
        guard var live else { throw DriverError(.unexpected, "the steps of a plan have no process") }
        // Until all is done nobody knows what runs.
        self.live = nil
        var (steps, wanted) = (steps, wanted)
        while true {
            for step in steps { live.state.apply(step) }
            try await haproxy.perform(steps)
            let (others, actual) = try await haproxy.readBack(steps, in: live.state)
            // One that is removed once more has its time anew.
            for case .retire(let place, _) in steps { retirement.forget(place) }
            guard let first = others.first else { break }
            guard let target = wanted,
                let rest = Planner.plan(from: actual, to: target, resolved: resolved).steps
            else {
                throw DriverError(
                    .refused, "HAProxy accepted every step, and yet server \(first) is not as it was asked for",
                    failedNodes: others.compactMap(NodeReference.init))
            }
            logger.notice("server \(first) was changed by somebody else; it becomes what was asked for")
            (live.state, steps, wanted) = (actual, rest, nil)
        }
        self.live = live
    }

    /// What an answer does not wait for.
    func workBehindTheReply(_ previous: HostState) {
        recordLeaving()
        startRetiring()
        checkLater(previous: previous)
    }
}

extension Plan {
    var isReload: Bool { if case .reload = self { true } else { false } }

    /// The steps, none where there is nothing to do; nil for a reload.
    var steps: [PlanStep]? {
        switch self {
        case .nothing: []
        case .steps(let steps): steps
        case .reload: nil
        }
    }
}
