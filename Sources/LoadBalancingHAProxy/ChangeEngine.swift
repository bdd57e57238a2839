internal import DedicatedThread
internal import HAProxy
internal import LoadBalancing
internal import Logging

/// Takes a host from one state to another, as a transaction.
///
/// `pending.json` is written first and renamed to `state.json` last; between the two, the configuration on disk is
/// replaced, and the process that serves it is changed by the steps of a ``Plan``, or replaced as well. A change that does not get to its end is undone: by the engine itself when a
/// step fails, and by the next start when the worker ended, for nobody was told that it was made. A DELETE cannot be
/// undone, so it is finished. Where undoing fails as well, the next change takes the place of the one that is left over.
///
/// There is one change at a time; what goes on behind the replies waits at the same gate. What blocks (files, mostly) blocks the engine's own thread.
actor ChangeEngine {
    private let thread = DedicatedThread(name: "changes")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    let service: any ServiceControl
    let haproxy: LiveHAProxy
    let store: StateStore
    let builder: ConfigurationBuilder
    let options: HAProxyDriverOptions
    let resolver = HostResolver()
    let logger: Logger
    let onRepair: @Sendable (RepairReport) -> Void
    let gate = Gate()

    /// What this process was made to serve; what was changed in it by hand shows where it is compared with what runs.
    var live: (process: HAProxyProcess, state: LiveState)?
    /// The change that is being made.
    var underWay: Attempt?
    /// How many changes have begun, or ended.
    var moments = 0
    /// The connection over which they are deleted.
    let session: RuntimeSession
    /// The servers that were removed and are still there.
    var retirement = Retirement()
    /// What becomes of the checks of whole files behind the replies.
    var lateCheck = LateCheck()

    init(
        service: any ServiceControl, runtime: RuntimeClient, store: StateStore, builder: ConfigurationBuilder,
        options: HAProxyDriverOptions, logger: Logger, onRepair: @escaping @Sendable (RepairReport) -> Void
    ) {
        self.service = service
        haproxy = LiveHAProxy(service: service, runtime: runtime)
        session = RuntimeSession(socket: runtime.socket, access: runtime.access, timeout: runtime.timeout)
        self.store = store
        self.builder = builder
        self.options = options
        self.logger = logger
        self.onRepair = onRepair
    }

    /// Makes these balancers the state of the host, or leaves everything as it was; a suspended host stays suspended.
    ///
    /// - Returns: What was done, with the conditions of nodes that stay otherwise than they were asked for.
    func update(_ balancers: [LoadBalancer]) async throws(DriverError) -> ChangeSummary {
        await gate.enter()
        defer { gate.leave() }
        let phase: HostState.Phase = store.current.phase == .suspended ? .suspended : .active
        return try await apply(HostState(phase: phase, balancers: balancers), resolvingNames: true)
    }

    /// Stops or resumes traffic, or leaves everything as it was.
    ///
    /// Host names are not looked up: the UPDATE did, and traffic can be stopped while no resolver answers.
    func setPhase(_ phase: HostState.Phase) async throws(DriverError) -> ChangeSummary {
        await gate.enter()
        defer { gate.leave() }
        return try await apply(HostState(phase: phase, balancers: store.current.balancers))
    }

    /// Ends balancing: stops HAProxy, then removes its configuration, its backup and the state.
    ///
    /// When HAProxy does not stop, everything stays as it was. When it has stopped and a file cannot be removed, another
    /// DELETE or the next start removes it.
    func delete() async throws(DriverError) -> ChangeSummary {
        await gate.enter()
        defer { gate.leave() }
        let previous = store.current
        let leftOver = try store.pending()
        let change = PendingChange(state: .deleted, previousDigest: nil)
        try store.begin(change)
        do throws(DriverError) {
            try await stop()
        } catch {
            if let leftOver { try store.begin(leftOver) } else { try store.abandon() }
            throw error
        }
        try await finishDelete(change)
        return ChangeSummary(
            isChange: previous != change.state || leftOver != nil, balancers: previous.balancers.map(\.key),
            reloadReasons: previous.balancers.isEmpty ? [] : ["the balancers are deleted"])
    }

    /// Undoes or finishes what an earlier worker had begun when it ended; a fault is logged, and left to the next change.
    func recover() async {
        await gate.enter()
        defer { gate.leave() }
        emptyServerState()
        do throws(DriverError) {
            try await perform { service throws(HAProxyError) in try await service.discardStaged() }
            if let change = try store.pending() { try await finishOrUndo(change) }
        } catch {
            logger.error("what was under way when the worker ended is neither undone nor finished: \(error.message)")
        }
    }

    /// Starts HAProxy when the host has balancers and HAProxy does not run; an UPDATE can still mend what this cannot.
    func startIfNeeded() async {
        await gate.enter()
        defer { gate.leave() }
        do throws(DriverError) {
            guard !store.current.balancers.isEmpty, try await haproxy.presence() == .absent else { return }
            logger.notice("HAProxy is not running; it is started")
            try await repair(["HAProxy does not run"]) { () async throws(DriverError) in
                try await apply(store.current)
            }
        } catch {
            logger.error("HAProxy is not running, and cannot be started: \(error.message)")
        }
    }

    // MARK: The transaction

    /// - Parameters:
    ///   - target: What the host is to become.
    ///   - resolvingNames: Whether host names are looked up.
    ///   - seen: What runs, where somebody has just looked; it may know more than is looked at for each change.
    /// - Returns: What was done, with the conditions of nodes that stay otherwise than they were asked for, because
    ///   somebody changed them by hand.
    /// - Throws: ``DriverError``, after everything was undone.
    @discardableResult
    func apply(
        _ target: HostState, resolvingNames: Bool = false, seen: Sight? = nil
    ) async throws(DriverError) -> ChangeSummary {
        let (configuration, text) = try rendered(target)
        let leftOver = try store.pending()
        let current = try await readConfiguration()
        let currentDigest = current.map(PendingChange.digest(of:))
        // What a change failed to undo is undone with the next one, should that fail too.
        var change = PendingChange(state: target, previousDigest: leftOver.map(\.previousDigest) ?? currentDigest)
        let isOnDisk = current.map { $0.elementsEqual(text.utf8) } ?? false
        let presence = try await haproxy.presence()
        let nodes = try nodesChanged(by: configuration)
        let remembered = leftOver == nil && seen == nil ? remembered(of: presence, for: configuration) : nil
        var sight = leftOver == nil ? seen : nil
        if sight == nil, leftOver == nil, remembered == nil { sight = await look(at: presence, current) }
        live = nil
        if case .process(let process) = presence, let state = remembered ?? sight.map({ start($0, changing: nodes) }) {
            live = (process, state)
        }
        var plan = leftOver == nil ? plan(to: configuration, presence, live?.state) : .reload(["a change is left over"])
        let conditions = options.reconciliation == .repair ? [:] : sight?.conditions(except: nodes) ?? [:]
        if isOnDisk, plan == .nothing {
            change.leaving = store.leaving
            let isChange = try record(change)
            return ChangeSummary(
                isChange: isChange, balancers: target.balancers.map(\.key), otherConditions: conditions)
        }

        var resolved: [Address: Address] = [:]
        if resolvingNames {
            resolved = try await addresses(of: target.balancers)
            if leftOver == nil, !resolved.isEmpty {
                plan = self.plan(to: configuration, presence, live?.state, resolved: resolved)
            }
        }
        // Where HAProxy cannot tell another worker how far the steps came, that one has to reload it.
        if let steps = plan.steps, steps.allSatisfy(\.isTraceable) { change.process = live?.process }
        if let live, let steps = plan.steps { change.leaving = live.state.leaving(of: live.process, after: steps) }
        let before = Attempt(presence: leftOver == nil ? presence : nil, live: live?.state, nodes: nodes, plan: plan)
        (underWay, moments) = (before, moments + 1)
        defer { (underWay, moments) = (nil, moments + 1) }
        if plan.isReload, leftOver == nil { try await checkPorts(of: target, presence) }
        do throws(DriverError) {
            if !isOnDisk { try await stage(text, checking: plan.isReload) }
            try store.begin(change)
        } catch {
            try? await service.discardStaged()
            throw error
        }
        do throws(DriverError) {
            if !isOnDisk { try await replaceConfiguration(backingUp: currentDigest == change.previousDigest) }
            if let steps = plan.steps {
                try await perform(steps, towards: configuration, resolved: resolved)
            } else {
                let (known, asked) = (live?.state, leftOver == nil ? try rendered(store.current).configuration : nil)
                live = nil
                let process = try await keepingServers(for: configuration, after: asked, known, presence) {
                    () async throws(DriverError) in
                    try await haproxy.load()
                    return try await haproxy.verify(target, replacing: presence)
                }
                live = (process, LiveState(configuration))
            }
            let previous = store.current
            try store.commit(change)
            if !plan.isReload { workBehindTheReply(previous) } else { lateCheck.passed() }
            guard plan.isReload, let live, options.reconciliation != .repair else {
                return ChangeSummary(of: target, by: plan, conditions)
            }
            // A reload brings back servers that were gone, and keeps others drained.
            let others = await look(at: .process(live.process), nil)?.conditions(except: nodes) ?? [:]
            return ChangeSummary(of: target, by: plan, others)
        } catch {
            throw await undone(change, before, because: error)
        }
    }

    /// Remembers what makes no difference to HAProxy, such as a balancer's name.
    ///
    /// - Returns: Whether there was anything.
    private func record(_ change: PendingChange) throws(DriverError) -> Bool {
        guard change.state != store.current else { return false }
        try store.begin(change)
        try store.commit(change)
        return true
    }

    func finishDelete(_ change: PendingChange) async throws(DriverError) {
        // There is no file to check any more.
        lateCheck.passed()
        try await perform { service throws(HAProxyError) in try await service.removeConfiguration() }
        removeServerState()
        try store.commit(change)
    }

    // MARK: Steps

    func rendered(_ state: HostState) throws(DriverError) -> (configuration: Configuration, text: String) {
        do {
            let configuration = try builder.configuration(for: state)
            return (configuration, try configuration.rendered())
        } catch {
            throw DriverError(.unexpected, "the configuration cannot be written: \(error.message)", cause: error)
        }
    }

    func readConfiguration() async throws(DriverError) -> [UInt8]? {
        try await perform { service throws(HAProxyError) in try await service.readConfiguration() }
    }

    /// Makes sure of the ports that HAProxy is to have and does not have yet.
    ///
    /// A reload that finds one taken fails as well, but only after two seconds in which connections are refused.
    func checkPorts(of target: HostState, _ presence: LiveHAProxy.Presence) async throws(DriverError) {
        guard target.phase == .active, presence != .stranger else { return }
        let current = store.current
        let held = presence != .absent && current.phase == .active ? Set(current.balancers.map(\.port)) : []
        for balancer in target.balancers where !held.contains(balancer.port) {
            do throws(HAProxyError) {
                try await checkPort(of: try builder.bind(balancer))
            } catch {
                throw DriverError(
                    .refused, "HAProxy cannot listen for balancer \(balancer.key): \(error.message)", cause: error,
                    isRetriable: error.code == .addressUnavailable)
            }
        }
    }

    /// Asks for a port, and again for a second: a process that is being replaced may still be closing it.
    private func checkPort(of bind: Bind) async throws(HAProxyError) {
        for _ in 1...50 {
            if (try? bind.checkAvailability()) != nil { return }
            try? await Task.sleep(for: .milliseconds(20))
        }
        try bind.checkAvailability()
    }

    /// Where HAProxy is to run on, its acceptance of each step is the check, and that of the whole file comes later.
    private func stage(_ text: String, checking: Bool) async throws(DriverError) {
        try await perform { service throws(HAProxyError) in
            let file = try await service.stage(text)
            if checking { try await service.check(configurationAt: file) }
        }
    }

    private func replaceConfiguration(backingUp: Bool) async throws(DriverError) {
        try await perform { service throws(HAProxyError) in
            if backingUp { try await service.backUp() }
            try await service.installStaged()
        }
    }

    func stop() async throws(DriverError) {
        live = nil
        try await perform { service throws(HAProxyError) in try await service.stop() }
    }

    func perform<Value: Sendable>(
        _ body: (any ServiceControl) async throws(HAProxyError) -> Value
    ) async throws(DriverError) -> Value {
        do {
            return try await body(service)
        } catch {
            throw DriverError(error)
        }
    }
}
