import CGearman

/// A libgearman worker with one connection to one job server.
///
/// libgearman is thread-safe in that handles share nothing (its documentation's index page); a handle is used by one
/// thread at a time. ``interruption`` alone may be called from other threads while the handle lives: gearman_kill(3)
/// writes one byte to a pipe on which the handle also waits.
///
/// The handle does not block in `gearman_worker_work`, which would make a lost connection again by itself, without the
/// check that the other end answers; all waiting is done in ``wait(for:)``.
struct WorkerHandle: ~Copyable {
    private let worker: UnsafeMutablePointer<gearman_worker_st>
    private let server: JobServer
    private let receiver: JobReceiver

    /// What ``work()`` did.
    enum Step {
        /// A job was received and answered.
        case served
        /// A job was received, and its answer did not get through.
        case answerLost(GearmanError)
        /// The job server owes an answer, or the rest of one.
        case expecting
        /// The job server has no job, and will say when it has one.
        case idle
        /// The connection is of no more use.
        case ended(GearmanError)
    }

    /// How ``wait(for:)`` ended.
    enum Waited {
        case ready
        case timedOut
        case interrupted
        case ended(GearmanError)
    }

    /// Makes a handle; nothing is connected yet.
    ///
    /// - Parameters:
    ///   - function: The function to register.
    ///   - identifier: What the connection is called in the job server's list.
    ///   - server: The job server, for messages.
    ///   - host: Its address in digits, so that libgearman need not ask a name server.
    ///   - transport: Whether TLS is wanted.
    ///   - receiver: Takes the jobs.
    /// - Throws: ``GearmanError`` when libgearman refuses.
    init(
        function: String, identifier: String, server: JobServer, host: String, transport: Transport,
        receiver: JobReceiver
    ) throws(GearmanError) {
        guard let worker = gearman_worker_create(nil) else {
            throw GearmanError(
                .systemError,
                "libgearman made no worker: out of memory or descriptors, or GEARMAN_SERVERS in the environment is wrong"
            )
        }
        // Those that the environment variable GEARMAN_SERVERS names.
        gearman_worker_remove_servers(worker)
        TLSSupport.protect(worker, with: transport)
        // JOB_ASSIGN_ALL would let a client name a "reducer", to which libgearman submits jobs from here and blocks.
        gearman_worker_add_options(worker, GEARMAN_WORKER_GRAB_UNIQ)
        gearman_worker_add_options(worker, GEARMAN_WORKER_NON_BLOCKING)
        var code = gearman_worker_set_identifier(worker, identifier, identifier.utf8.count)
        if code == GEARMAN_SUCCESS { code = gearman_worker_add_server(worker, host, in_port_t(server.port)) }
        if code == GEARMAN_SUCCESS {
            // A time-out of 0 keeps libgearman from CAN_DO_TIMEOUT.
            code = gearman_worker_add_function(
                worker, function, 0, receiveJob, Unmanaged.passUnretained(receiver).toOpaque())
        }
        guard code == GEARMAN_SUCCESS else {
            gearman_worker_free(worker)
            throw GearmanError(code, server: server)
        }
        self.worker = worker
        self.server = server
        self.receiver = receiver
        receiver.interruption = interruption
    }

    deinit { gearman_worker_free(worker) }

    /// Ends a wait of this handle from another thread, and all its later ones; to be called only while the handle lives.
    var interruption: @Sendable () -> Void {
        // GEARMAN_KILL would close a descriptor that gearman_worker_free closes again.
        let id = gearman_worker_id(worker)
        return { _ = gearman_kill(id, GEARMAN_INTERRUPT) }
    }

    /// Connects if need be, sends a few bytes and waits until they come back.
    ///
    /// - Parameter timeout: For each of the waits: to connect, to send and to receive.
    /// - Returns: Why they did not; `nil` when they did.
    func echo(timeout: Duration) -> GearmanError? {
        gearman_worker_set_timeout(worker, max(1, timeout.milliseconds))
        let code = gearman_worker_echo(worker, "libra", 5)
        return code == GEARMAN_SUCCESS ? nil : GearmanError(code, server: server)
    }

    /// Goes on with what is due, without waiting: registers, asks for a job, receives it, has it done and answers it.
    func work() -> Step {
        receiver.answerError = nil
        let code = gearman_worker_work(worker)
        switch code {
        case GEARMAN_SUCCESS: return receiver.answerError.map { .answerLost($0) } ?? .served
        case GEARMAN_IO_WAIT: return .expecting
        case GEARMAN_NO_JOBS:
            // Also what a connection that was lost in this call ends with.
            if case .ended(let error) = wait(for: .zero) { return .ended(error) }
            return .idle
        default: return .ended(GearmanError(code, server: server))
        }
    }

    /// Blocks until the connection has something, or can take something, or ends.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever.
    /// - Returns: How the wait ended.
    func wait(for timeout: Duration?) -> Waited {
        gearman_worker_set_timeout(worker, timeout?.milliseconds ?? -1)
        let code = gearman_worker_wait(worker)
        switch code {
        case GEARMAN_SUCCESS: return .ready
        case GEARMAN_TIMEOUT: return .timedOut
        case GEARMAN_SHUTDOWN, GEARMAN_SHUTDOWN_GRACEFUL: return .interrupted
        default: return .ended(GearmanError(code, server: server))
        }
    }
}
