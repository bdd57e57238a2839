public import Logging
public import ServiceLifecycle

/// A Gearman worker: takes jobs of one function from several job servers, and answers each.
///
/// Every job server has connections of its own, each with a libgearman handle and a thread, so that a job server that is
/// dead or mute holds up no other. A connection carries one job at a time. When all of a job server's connections have
/// a job in hand one more is opened, up to ``WorkerOptions/maximumConnections``, so that jobs that wait for something do
/// not keep short ones from being taken; what is no longer needed is closed again.
///
/// A connection that is lost is made again, with pauses that grow, and the function registered anew. A job whose
/// connection is lost while it is in hand is finished, but its result has no way back: the job server gives such a job
/// to a worker again.
///
/// Run it in a `ServiceGroup`. On graceful shutdown it takes no new job, finishes and answers those in hand, and
/// returns; when idle it returns at once. When its task is cancelled the handlers' tasks are cancelled too, and their
/// results are still sent if the job server takes them.
public final class Worker: Service, Sendable {
    /// The function that is registered with the job servers.
    public let function: String
    private let pools: [ConnectionPool]
    private let readiness: ReadinessGate

    /// Describes a worker; nothing is connected before ``run()``.
    ///
    /// - Parameters:
    ///   - function: The function's name; 1 to 512 bytes without spaces or control characters.
    ///   - servers: The job servers; at least one.
    ///   - options: How connections are kept.
    ///   - tls: Files for TLS; `nil` for plain TCP.
    ///   - logger: Where connections, losses and faults are reported.
    ///   - handler: Does a job. Runs in a task of its own; several at once, when several jobs are in hand.
    ///   - answered: Is told once for each job what became of its answer, its workload left out. The connection waits for
    ///     it. When the process ends before, nobody is told.
    /// - Throws: ``GearmanError`` with the code `invalidArgument` or `tlsUnavailable`.
    public init(
        function: String,
        servers: [JobServer],
        options: WorkerOptions = WorkerOptions(),
        tls: TLSOptions? = nil,
        logger: Logger,
        handler: @escaping @Sendable (Job) async -> JobResult,
        answered: (@Sendable (Job, AnswerFate) async -> Void)? = nil
    ) throws(GearmanError) {
        try checkFunction(function)
        try options.check()
        if servers.isEmpty { throw GearmanError(.invalidArgument, "a worker needs a job server, and none is named") }
        let transport = try TLSSupport.transport(for: tls)
        let readiness = ReadinessGate(servers: Set(servers).count)
        self.function = function
        self.readiness = readiness
        var seen: Set<JobServer> = []
        pools = servers.filter { seen.insert($0).inserted }.map { server in
            ConnectionPool(
                server: server, function: function, options: options, transport: transport, logger: logger,
                readiness: readiness, handler: handler, answered: answered)
        }
    }

    /// Connects, registers, and serves jobs until graceful shutdown or cancellation.
    ///
    /// - Throws: Nothing while job servers merely cannot be reached; ``GearmanError`` with the code `invalidArgument`
    ///   when called a second time.
    public func run() async throws {
        guard readiness.begin() else {
            throw GearmanError(.invalidArgument, "worker '\(function)' was run already; make another one")
        }
        for pool in pools { pool.start() }
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                for pool in pools { await pool.waitUntilEnded() }
            } onGracefulShutdown: {
                self.readiness.stop()
                for pool in self.pools { pool.stop() }
            }
        } onCancel: {
            self.readiness.stop()
            for pool in self.pools { pool.cancel() }
        }
    }

    /// How things stand with each job server, in the order in which they were named.
    public var status: [JobServerStatus] { pools.map(\.status) }

    /// Waits for the first attempts to reach the job servers.
    ///
    /// For a daemon that reports itself ready. Waits as long as ``run()`` has not been called.
    ///
    /// - Returns: Whether the function is registered somewhere, or every job server has failed once.
    public func waitUntilReady() async -> Readiness { await readiness.wait() }
}
