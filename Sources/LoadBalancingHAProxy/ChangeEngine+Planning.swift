internal import HAProxy
internal import LoadBalancing
internal import Logging

// Changes of the process that runs.
extension ChangeEngine {
    /// Finds out how what runs becomes what is wanted.
    ///
    /// What runs is known from the last change, as long as the same process answers; else HAProxy is asked, which knows
    /// enough of it when the file on disk is the one that was last asked for, and more when something is known of earlier.
    func plan(
        to wanted: Configuration, _ presence: LiveHAProxy.Presence, _ current: [UInt8]?,
        resolved: [Address: Address] = [:], after earlier: LiveState? = nil
    ) async -> Plan {
        guard case .process(let process) = presence else { return .reload(["HAProxy does not run"]) }
        if live?.process != process { live = await adopt(process, current, after: earlier).map { (process, $0) } }
        guard let live else { return .reload(["what runs is not what was last asked for"]) }
        let plan = Planner.plan(from: live.state, to: wanted, resolved: resolved)
        return options.alwaysReloads && plan != .nothing ? .reload(["always_reload is set"]) : plan
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
    func preview(
        _ balancers: [LoadBalancer], asking runtime: RuntimeClient
    ) async throws(DriverError) -> ChangePlan {
        let addresses = try await addresses(of: balancers)
        let phase: HostState.Phase = store.current.phase == .suspended ? .suspended : .active
        let (wanted, whole) = try rendered(HostState(phase: phase, balancers: balancers))
        let text = options.cookieKey?.masked(in: whole) ?? whole
        let asking = LiveHAProxy(service: service, runtime: runtime)
        let current = try await readConfiguration()
        var plan = Plan.reload(["what runs is not what was last asked for"])
        if case .process(let process) = try await asking.presence() {
            let known = live?.process == process ? live?.state : await adopt(process, current, asking: asking)
            if let known { plan = Planner.plan(from: known, to: wanted, resolved: addresses) }
            if options.alwaysReloads, plan != .nothing { plan = .reload(["always_reload is set"]) }
        } else {
            plan = .reload(["HAProxy does not run"])
        }
        switch plan {
        case .nothing: return ChangePlan(reloadReasons: [], steps: [], configuration: text)
        case .steps(let steps):
            return ChangePlan(reloadReasons: [], steps: steps.map(\.description), configuration: text)
        case .reload(let reasons): return ChangePlan(reloadReasons: reasons, steps: [], configuration: text)
        }
    }

    /// What a process serves that an earlier worker, or somebody else, has started with the file on disk.
    func adopt(
        _ process: Int32, _ current: [UInt8]?, asking haproxy: LiveHAProxy? = nil, after earlier: LiveState? = nil
    ) async -> LiveState? {
        guard let current, let (configuration, text) = try? rendered(store.current), current.elementsEqual(text.utf8)
        else { return nil }
        return try? await (haproxy ?? self.haproxy).observe(configuration, after: earlier)
    }

    /// Performs steps, and makes sure of what came of them.
    ///
    /// What somebody has changed by hand is not looked for before a change. Where it is a server of the steps, it shows when
    /// they are read back: then what is left to do to get `wanted` is planned from what is there, and done, once.
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
