import CGearman

/// A libgearman client with one connection to one job server.
///
/// libgearman is thread-safe in that handles share nothing (its documentation's index page); a handle is used by one
/// thread at a time, which here is that of the ``ClientConnection`` that owns it.
///
/// `gearman_client_run_tasks` does not wait (its manual page: with `GEARMAN_CLIENT_NON_BLOCKING`); all waiting is done in
/// `gearman_client_wait`, so that no exchange lasts beyond its deadline.
struct ClientHandle: ~Copyable {
    /// More tasks than this are not given to libgearman at a time: it searches all of them for each packet.
    static let mostTasks = 8192

    private let client: UnsafeMutablePointer<gearman_client_st>
    private let server: JobServer

    /// Makes a handle; nothing is connected yet.
    ///
    /// - Parameters:
    ///   - server: The job server, for messages.
    ///   - host: Its address in digits, so that libgearman need not ask a name server.
    ///   - transport: Whether TLS is wanted.
    /// - Throws: ``GearmanError`` when libgearman refuses.
    init(server: JobServer, host: String, transport: Transport) throws(GearmanError) {
        guard let client = gearman_client_create(nil) else {
            throw GearmanError(
                .systemError, "libgearman made no client: out of memory, or GEARMAN_SERVERS in the environment is wrong"
            )
        }
        // Those that the environment variable GEARMAN_SERVERS names.
        gearman_client_remove_servers(client)
        TLSSupport.protect(client, with: transport)
        gearman_client_add_options(client, GEARMAN_CLIENT_NON_BLOCKING)
        gearman_client_add_options(client, GEARMAN_CLIENT_FREE_TASKS)
        gearman_client_set_created_fn(client, taskWasCreated)
        gearman_client_set_data_fn(client, taskHasData)
        gearman_client_set_complete_fn(client, taskIsComplete)
        gearman_client_set_fail_fn(client, taskFailed)
        gearman_client_set_exception_fn(client, taskFailed)
        let code = gearman_client_add_server(client, host, in_port_t(server.port))
        guard code == GEARMAN_SUCCESS else {
            gearman_client_free(client)
            throw GearmanError(code, server: server)
        }
        self.client = client
        self.server = server
    }

    deinit { gearman_client_free(client) }

    /// Connects if need be, sends a few bytes and waits until they come back.
    ///
    /// - Parameter timeout: For each of the waits: to connect, to send and to receive.
    /// - Returns: Why they did not; `nil` when they did.
    func echo(timeout: Duration) -> GearmanError? {
        gearman_client_set_timeout(client, max(1, timeout.milliseconds))
        let code = gearman_client_echo(client, "libra", 5)
        return code == GEARMAN_SUCCESS ? nil : GearmanError(code, server: server)
    }

    /// Submits jobs and waits for what becomes of them.
    ///
    /// - Parameter batch: The jobs, and who hears of each as soon as it is settled.
    /// - Returns: Why jobs are left that are not settled; `nil` when none is. The handle is of no more use then.
    func run(_ batch: TaskBatch) -> GearmanError? {
        while true {
            while batch.unsettled < Self.mostTasks, let task = batch.next() {
                guard add(task, of: batch) else {
                    return GearmanError(gearman_client_error_code(client), server: server)
                }
            }
            guard !batch.isSettled else { return nil }
            let code = gearman_client_run_tasks(client)
            if batch.isAbandoned { return GearmanError(.cancelled, "the answers are not waited for any more") }
            switch code {
            case GEARMAN_SUCCESS, GEARMAN_IO_WAIT: break
            case GEARMAN_SERVER_ERROR, GEARMAN_JOB_QUEUE_FULL:
                let words = gearman_client_error(client).map { String(cString: $0) } ?? ""
                return GearmanError(
                    .serverError, "job server \(server) refused a job: \(words.isEmpty ? "it did not say why" : words)")
            default: return GearmanError(code, server: server)
            }
            guard !batch.isSettled else { return nil }
            guard code == GEARMAN_IO_WAIT else { continue }
            let left = ContinuousClock.now.duration(to: batch.deadline)
            guard left > .zero else { return GearmanError(.timedOut, "job server \(server) passed none on") }
            gearman_client_set_timeout(client, max(1, left.milliseconds))
            switch gearman_client_wait(client) {
            case GEARMAN_SUCCESS, GEARMAN_TIMEOUT: break
            case let code: return GearmanError(code, server: server)
            }
        }
    }

    private func add(_ task: TaskBatch.Entry, of batch: TaskBatch) -> Bool {
        let workload = batch.workload(of: task)
        var code = GEARMAN_SUCCESS
        let added =
            batch.isBackground
            ? gearman_client_add_task_background(
                client, nil, batch.context(of: task), task.function, task.unique, workload.baseAddress, workload.count,
                &code)
            : gearman_client_add_task(
                client, nil, batch.context(of: task), task.function, task.unique, workload.baseAddress, workload.count,
                &code)
        return added != nil && code == GEARMAN_SUCCESS
    }
}
