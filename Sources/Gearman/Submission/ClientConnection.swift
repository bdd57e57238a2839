import DedicatedThread

/// A client's connection, on the thread where its handle lives.
actor ClientConnection {
    private let thread = DedicatedThread(name: "gearman-client")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let servers: ServerChoice
    private var handle: ClientHandle?

    init(servers: ServerChoice) { self.servers = servers }

    /// Submits jobs, blocks the thread until all are settled, and keeps the connection for the next ones.
    ///
    /// A job is submitted once: when the connection is lost afterwards it may have been done, and only the caller knows
    /// whether it may be done twice.
    ///
    /// - Parameters:
    ///   - requests: The jobs.
    ///   - unique: The caller's name for the first job.
    ///   - isBackground: Whether only the job server's receipt is waited for; the result then is the job's handle.
    ///   - deadline: When to give up.
    ///   - settle: Hears of each job once; `false` from it ends the exchange.
    func run(
        _ requests: [JobRequest], unique: String? = nil, isBackground: Bool = false,
        deadline: ContinuousClock.Instant,
        settle: @escaping @Sendable (_ index: Int, _ result: Result<[UInt8], GearmanError>) -> Bool
    ) {
        let batch = TaskBatch(requests, unique: unique, isBackground: isBackground, deadline: deadline, settle: settle)
        do throws(GearmanError) {
            let handle = try takeHandle(before: deadline)
            if let error = handle.run(batch) { throw error }
            self.handle = consume handle
        } catch {
            batch.settleRest(error)
        }
    }

    /// The open connection if the job server still answers on it, else a new one.
    private func takeHandle(before deadline: ContinuousClock.Instant) throws(GearmanError) -> ClientHandle {
        if let handle = handle.take() {
            // A connection that was idle may be dead without having said so; a job is not risked on it.
            let patience = min(servers.connectTimeout, ContinuousClock.now.duration(to: deadline) / 2)
            if patience > .zero, handle.echo(timeout: patience) == nil { return handle }
        }
        return try servers.connect(before: deadline)
    }
}
