internal import HAProxy
public import LoadBalancing
public import Logging
internal import SystemPackage

/// Makes HAProxy balance load on this host.
///
/// Changes go through one ``ChangeEngine``; reads ask HAProxy over connections of their own, so that they never wait for
/// a change.
public final class HAProxyDriver: Driver {
    let options: HAProxyDriverOptions
    let service: any ServiceControl
    private let store: StateStore
    private let engine: ChangeEngine
    private let meter: TrafficMeter
    private let statisticsClient: RuntimeClient
    private let pingClient: RuntimeClient
    private let planClient: RuntimeClient
    let diagnosticsClient: RuntimeClient
    let versionReader: VersionReader

    /// Creates a driver, and finishes or undoes what an earlier one had begun when it ended.
    ///
    /// - Parameters:
    ///   - options: Where HAProxy and its files are.
    ///   - logger: Gets what happened besides what was asked.
    ///   - onRepair: Hears of every repair, and of every attempt that failed; it has to return at once.
    /// - Throws: ``DriverError`` when the options cannot be, or the state folder cannot be read or written.
    public convenience init(
        options: HAProxyDriverOptions, logger: Logger, onRepair: @escaping @Sendable (RepairReport) -> Void = { _ in }
    ) async throws(DriverError) {
        try await self.init(options: options, service: options.makeService(), logger: logger, onRepair: onRepair)
    }

    init(
        options: HAProxyDriverOptions, service: any ServiceControl, heldLimit: Int = 200, logger: Logger,
        onRepair: @escaping @Sendable (RepairReport) -> Void = { _ in }
    ) async throws(DriverError) {
        self.options = options
        self.service = service
        store = try StateStore(folder: options.stateFolder, logger: logger)
        let master = (service as? ProcessService)?.master ?? options.systemMaster
        meter = TrafficMeter(
            path: options.statsFile, client: options.makeClient(), master: master,
            drainTimeout: .milliseconds(Int(options.drainTimeout.value)), heldLimit: heldLimit, logger: logger)
        do {
            let builder = ConfigurationBuilder(global: try options.makeGlobal(), cookieKey: options.cookieKey)
            engine = ChangeEngine(
                service: MeteredService(service, meter: meter), runtime: options.makeClient(), store: store,
                builder: builder, options: options, logger: logger, onRepair: onRepair)
        } catch {
            throw DriverError(error)
        }
        statisticsClient = options.makeClient()
        pingClient = options.makeClient()
        planClient = options.makeClient()
        diagnosticsClient = options.makeClient()
        versionReader = VersionReader(service: service, executable: HAProxyDriverOptions.executable.string)
        await meter.begin()
        await engine.recover()
        if options.service == .process { await engine.startIfNeeded() }
        await engine.resumeRetiring()
        await engine.startChecking()
    }

    /// Checks that host names resolve, then applies the balancers as a transaction, without a reload where HAProxy can; a suspended host stays suspended.
    ///
    /// - Returns: What was done, and the conditions of nodes that somebody changed by hand and this update did not, unless
    ///   that is repaired.
    @discardableResult
    public func update(_ balancers: [LoadBalancer]) async throws(DriverError) -> ChangeSummary {
        try await change { engine throws(DriverError) in try await engine.update(balancers) }
    }

    /// Reloads HAProxy without listeners: connections are refused, and open ones may go on for the drain time.
    @discardableResult
    public func suspend() async throws(DriverError) -> ChangeSummary {
        try await setPhase(.suspended)
    }

    /// Reloads HAProxy with its listeners.
    @discardableResult
    public func enable() async throws(DriverError) -> ChangeSummary {
        try await setPhase(.active)
    }

    /// Stops HAProxy, and removes its configuration, its backup and the state.
    @discardableResult
    public func delete() async throws(DriverError) -> ChangeSummary {
        try await change { engine throws(DriverError) in try await engine.delete() }
    }

    /// What an update with these balancers would do at this moment; nothing is changed, and no change is waited for.
    public func plan(_ balancers: [LoadBalancer]) async throws(DriverError) -> ChangePlan {
        try await engine.preview(balancers, asking: planClient)
    }

    /// Compares what runs and the file on disk with what was last asked for, logs each difference, and repairs them, as far
    /// as ``HAProxyDriverOptions/reconciliation`` says.
    public func reconcile() async {
        await Task { [engine] in await engine.reconcile() }.value
    }

    /// Asks HAProxy for its counters and states; while suspended, answers without asking.
    public func statistics() async throws(DriverError) -> [BalancerStatistics] {
        let state = try existingState()
        if state.phase == .suspended { return state.balancers.map(BalancerStatistics.init(suspended:)) }
        do {
            return try await statisticsClient.statistics().balancers(of: state)
        } catch {
            throw DriverError(error)
        }
    }

    /// Reads what HAProxy's processes have counted, and writes the report down before it is returned.
    ///
    /// What was not reported before a DELETE is in the first report after the next UPDATE. When HAProxy is not running,
    /// what is known is reported.
    public func traffic(for delivery: JobDelivery?) async throws(DriverError) -> TrafficReport {
        try await meter.report(for: delivery, balancers: try existingState().balancers.map(\.key))
    }

    /// Reads what HAProxy's processes have counted, and keeps it for the next report, should HAProxy be killed before.
    public func sampleTraffic() async { await meter.sample() }

    /// Takes note of what became of the answer with a report.
    public func settleTraffic(of delivery: JobDelivery, wasDelivered: Bool) async {
        await meter.settle(delivery, wasDelivered: wasDelivered)
    }

    /// Asks the installed HAProxy, once for each that is installed.
    public func version() async throws(DriverError) -> DriverVersion {
        do {
            let version = try await versionReader.version()
            return DriverVersion(version: version.branch, release: version.release)
        } catch {
            throw DriverError(error)
        }
    }

    /// Asks the running HAProxy for its process.
    public func ping() async throws(DriverError) {
        do {
            _ = try await pingClient.info()
        } catch {
            throw DriverError(error)
        }
    }

    private func setPhase(_ phase: HostState.Phase) async throws(DriverError) -> ChangeSummary {
        _ = try existingState()
        return try await change { engine throws(DriverError) in try await engine.setPhase(phase) }
    }

    /// Makes a change to its end, also when who asked for it is cancelled meanwhile: half a change helps nobody.
    private func change<Value: Sendable>(
        _ body: @escaping @Sendable (ChangeEngine) async throws(DriverError) -> Value
    ) async throws(DriverError) -> Value {
        let result = await Task { [engine] in
            do throws(DriverError) {
                return Result<Value, DriverError>.success(try await body(engine))
            } catch {
                return .failure(error)
            }
        }.value
        return try result.get()
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
