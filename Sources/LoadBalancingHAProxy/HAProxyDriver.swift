internal import HAProxy
public import LoadBalancing
public import Logging

/// Makes HAProxy balance load on this host.
///
/// Changes go through one ``ChangeEngine``; reads ask HAProxy over connections of their own, so that they never wait for
/// a change.
public final class HAProxyDriver: Driver {
    let options: HAProxyDriverOptions
    let service: any ServiceControl
    private let store: StateStore
    private let engine: ChangeEngine
    private let resolver = HostResolver()
    private let statisticsClient: RuntimeClient
    let pingClient: RuntimeClient

    /// Creates a driver, and finishes or undoes what an earlier one had begun when it ended.
    ///
    /// - Parameters:
    ///   - options: Where HAProxy and its files are.
    ///   - logger: Gets what happened besides what was asked.
    /// - Throws: ``DriverError`` when the options cannot be, or the state folder cannot be read or written.
    public init(options: HAProxyDriverOptions, logger: Logger) async throws(DriverError) {
        self.options = options
        store = try StateStore(folder: options.stateFolder, logger: logger)
        do {
            service = options.makeService()
            let builder = ConfigurationBuilder(global: try options.makeGlobal())
            engine = ChangeEngine(
                service: service, runtime: options.makeClient(), store: store, builder: builder, logger: logger)
        } catch {
            throw DriverError("preparing for HAProxy", error)
        }
        statisticsClient = options.makeClient()
        pingClient = options.makeClient()
        try await engine.recover()
        if options.service == .process { try await engine.startIfNeeded() }
    }

    /// Checks that host names resolve, then applies the balancers as a transaction; a suspended host stays suspended.
    public func update(_ balancers: [LoadBalancer]) async throws(DriverError) {
        try await resolver.check(balancers)
        let phase: HostState.Phase = store.current.phase == .suspended ? .suspended : .active
        try await engine.apply(HostState(phase: phase, balancers: balancers))
    }

    /// Reloads HAProxy without listeners: connections are refused, and open ones may go on for the drain time.
    public func suspend() async throws(DriverError) {
        try await setPhase(.suspended)
    }

    /// Reloads HAProxy with its listeners.
    public func enable() async throws(DriverError) {
        try await setPhase(.active)
    }

    /// Stops HAProxy, and removes its configuration, its backup and the state.
    public func delete() async throws(DriverError) {
        try await engine.delete()
    }

    /// Asks HAProxy for its counters and states; while suspended, answers without asking.
    public func statistics() async throws(DriverError) -> [BalancerStatistics] {
        let state = try existingState()
        if state.phase == .suspended { return state.balancers.map(BalancerStatistics.init(suspended:)) }
        do {
            return try await statisticsClient.statistics().balancers(of: state)
        } catch {
            throw DriverError("reading the statistics", error)
        }
    }

    /// Asks the installed HAProxy.
    public func version() async throws(DriverError) -> DriverVersion {
        do {
            let version = try await service.version()
            return DriverVersion(version: version.branch, release: version.release)
        } catch {
            throw DriverError("asking for HAProxy's version", error)
        }
    }

    /// Asks the running HAProxy for its process.
    public func ping() async throws(DriverError) {
        do {
            _ = try await pingClient.info()
        } catch {
            throw DriverError("asking HAProxy", error)
        }
    }

    private func setPhase(_ phase: HostState.Phase) async throws(DriverError) {
        var state = try existingState()
        state.phase = phase
        try await engine.apply(state)
    }

    /// The state of a host that has balancers.
    private func existingState() throws(DriverError) -> HostState {
        let state = store.current
        switch state.phase {
        case .active, .suspended: return state
        case .deleted: throw DriverError(.deleted, "the load balancers of this host were deleted")
        case .fresh:
            throw DriverError(
                .notRunning, "HAProxy is not running. No load balancer was ever configured here: send an UPDATE first.")
        }
    }
}
