internal import DedicatedThread
internal import HAProxy
internal import LoadBalancing
internal import Logging

/// Takes a host from one state to another, as a transaction.
///
/// One change at a time; what blocks (files, mostly) blocks the engine's own thread.
actor ChangeEngine {
    private let thread = DedicatedThread(name: "changes")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let service: any ServiceControl
    private let runtime: RuntimeClient
    private let store: StateStore
    private let builder: ConfigurationBuilder
    private let logger: Logger

    /// How long a new process may take to answer, once the command that starts it has returned.
    private static let patience = Duration.seconds(20)

    /// The process that is known to serve the configuration on disk, so that an UPDATE that changes nothing need not
    /// look at every server.
    private var verifiedProcess: Int32?

    init(
        service: any ServiceControl, runtime: RuntimeClient, store: StateStore, builder: ConfigurationBuilder,
        logger: Logger
    ) {
        self.service = service
        self.runtime = runtime
        self.store = store
        self.builder = builder
        self.logger = logger
    }

    /// Makes `target` the state of the host, or leaves everything as it was.
    func apply(_ target: HostState) async throws(DriverError) {
        let text = try rendered(target)
        let current = try await readConfiguration()
        if target == store.current, let current, current.elementsEqual(text.utf8), await serves(target) { return }

        try await check(text)
        try store.begin(PendingChange(state: target, configurationDigest: PendingChange.digest(of: text.utf8)))
        let process = await runningProcess()
        do throws(DriverError) {
            try await attempt("replacing the configuration") { service throws(HAProxyError) in
                try await service.backUp()
                try await service.installStaged()
            }
            try await startOrReload(from: process)
            try await verify(target, replacing: process)
        } catch {
            throw await rolledBack(error, to: process)
        }
        try store.commit(target)
    }

    /// Ends balancing: stops HAProxy, then removes its configuration, its backup and the state.
    ///
    /// Stopping comes first: without a configuration file `service haproxy stop` does nothing and says it is done.
    func delete() async throws(DriverError) {
        try store.begin(PendingChange(state: .deleted, configurationDigest: 0))
        try await attempt("stopping HAProxy") { service throws(HAProxyError) in try await service.stop() }
        verifiedProcess = nil
        try await attempt("removing the configuration") { service throws(HAProxyError) in
            try await service.removeConfiguration()
        }
        try store.commit(.deleted)
    }

    /// Finishes or undoes what a worker that ended in the middle of a change had begun.
    func recover() async throws(DriverError) {
        try await attempt("tidying up") { service throws(HAProxyError) in try await service.discardStaged() }
        guard let change = try store.pending() else { return }
        if change.state.phase == .deleted {
            logger.notice("a DELETE was under way when the worker ended; it is finished")
            return try await delete()
        }
        let process = await runningProcess()
        let isInPlace = try await readConfiguration().map(PendingChange.digest(of:)) == change.configurationDigest
        guard isInPlace else {
            logger.notice("a change was under way when the worker ended, and not in place; it is forgotten")
            if process != nil { try await startOrReload(from: process) }
            return try store.abandon()
        }
        logger.notice("a change was in place when the worker ended; it is finished")
        do throws(DriverError) {
            try await startOrReload(from: process)
            try await verify(change.state, replacing: process)
        } catch {
            let failure = await rolledBack(error, to: process)
            return logger.error("the change could not be finished: \(failure.message)")
        }
        try store.commit(change.state)
    }

    /// Starts HAProxy when the host has balancers and HAProxy does not run.
    func startIfNeeded() async throws(DriverError) {
        guard !store.current.balancers.isEmpty, await runningProcess() == nil else { return }
        logger.notice("HAProxy is not running; it is started")
        try await startOrReload(from: nil)
        try await verify(store.current, replacing: nil)
    }

    // MARK: Steps

    private func rendered(_ state: HostState) throws(DriverError) -> String {
        do {
            return try builder.configuration(for: state).rendered()
        } catch {
            throw DriverError(.unexpected, "the configuration cannot be written: \(error.message)", cause: error)
        }
    }

    private func readConfiguration() async throws(DriverError) -> [UInt8]? {
        try await attempt("reading the configuration") { service throws(HAProxyError) in
            try await service.readConfiguration()
        }
    }

    /// Leaves the text staged when HAProxy accepts it, and nothing when it does not.
    private func check(_ text: String) async throws(DriverError) {
        do throws(DriverError) {
            try await attempt("checking the configuration") { service throws(HAProxyError) in
                try await service.check(configurationAt: try await service.stage(text))
            }
        } catch {
            try? await service.discardStaged()
            throw error
        }
    }

    private func startOrReload(from process: Int32?) async throws(DriverError) {
        verifiedProcess = nil
        if process == nil {
            try await attempt("starting HAProxy") { service throws(HAProxyError) in try await service.start() }
        } else {
            try await attempt("reloading HAProxy") { service throws(HAProxyError) in try await service.reload() }
        }
    }

    /// Whether a process other than the one before answers, in which every frontend listens.
    private func verify(_ state: HostState, replacing process: Int32?) async throws(DriverError) {
        let (information, frontends): (RuntimeInfo, Statistics)
        do throws(HAProxyError) {
            information = try await runtime.waitForProcess(otherThan: process, within: Self.patience)
            frontends = try await runtime.statistics(kinds: .frontends)
        } catch {
            throw DriverError("asking the new HAProxy", error)
        }
        let listening = Set(frontends.rows.filter(\.status.isUp).map(\.proxy))
        for balancer in state.balancers where state.phase == .active {
            let name = balancer.key.frontendName
            guard listening.contains(name) else {
                throw DriverError(.refused, "HAProxy does not listen on \(balancer.address):\(balancer.port) (\(name))")
            }
        }
        verifiedProcess = information.processID
    }

    /// Whether what runs is what is on disk.
    private func serves(_ state: HostState) async -> Bool {
        guard let process = await runningProcess() else { return false }
        if process == verifiedProcess { return true }
        guard let statistics = try? await runtime.statistics(), Expectation(state).isMet(by: statistics) else {
            return false
        }
        verifiedProcess = process
        return true
    }

    private func runningProcess() async -> Int32? {
        try? await runtime.info().processID
    }

    /// Puts everything back, and says in the error when that did not work.
    private func rolledBack(_ error: DriverError, to process: Int32?) async -> DriverError {
        logger.error("rolling back: \(error.message)")
        verifiedProcess = nil
        do {
            if process == nil {
                try await service.stop()
                try await service.restore()
            } else {
                try await service.restore()
                try await service.reload()
            }
            try store.abandon()
        } catch let second {
            return DriverError(
                error.code, "\(error.message); and what was served before could not be restored: \(second)",
                cause: error.cause, failedNodes: error.failedNodes)
        }
        return error
    }

    private func attempt<Value: Sendable>(
        _ action: String, _ body: (any ServiceControl) async throws(HAProxyError) -> Value
    ) async throws(DriverError) -> Value {
        do {
            return try await body(service)
        } catch {
            throw DriverError(action, error)
        }
    }
}
