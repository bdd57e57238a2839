import DedicatedThread

/// Submits jobs to Gearman job servers.
///
/// The job servers are tried in turn, beginning with the one that answered last; one that is dead or mute costs its share
/// of the time only. Before a job is submitted the job server has to answer on the connection, so that no job is lost on
/// a connection that ended unnoticed. Once submitted a job is not submitted again.
///
/// Each call has a connection and a thread of its own while there are no more than ``maximumConnections``; further
/// calls wait for one of them, and their time-outs run meanwhile. Connections are kept until the client is released.
public final class Client: Sendable {
    /// How many calls can be under way at once.
    public let maximumConnections: Int
    private let servers: ServerChoice
    private let shelf: ConnectionShelf

    /// Describes a client; nothing is connected before a call.
    ///
    /// - Parameters:
    ///   - servers: The job servers; at least one.
    ///   - tls: Files for TLS; `nil` for plain TCP.
    ///   - connectTimeout: How long a job server may take to accept a connection and to answer on it.
    ///   - maximumConnections: How many calls can be under way at once; 1 to 256.
    /// - Throws: ``GearmanError`` with the code `invalidArgument` or `tlsUnavailable`.
    public init(
        servers: [JobServer], tls: TLSOptions? = nil, connectTimeout: Duration = .seconds(2),
        maximumConnections: Int = 16
    ) throws(GearmanError) {
        if servers.isEmpty { throw GearmanError(.invalidArgument, "a client needs a job server, and none is named") }
        guard connectTimeout > .zero, (1...256).contains(maximumConnections) else {
            throw GearmanError(
                .invalidArgument, "a client's connectTimeout has to be above 0 and its maximumConnections 1 to 256")
        }
        self.maximumConnections = maximumConnections
        self.servers = ServerChoice(
            servers: servers, connectTimeout: connectTimeout, transport: try TLSSupport.transport(for: tls))
        shelf = ConnectionShelf(servers: self.servers, maximum: maximumConnections)
    }

    /// Submits a job and waits for its result.
    ///
    /// - Parameters:
    ///   - function: The function to run.
    ///   - workload: What the worker gets; may be empty.
    ///   - unique: A name for the job, at most 63 bytes: a job that waits or runs under the same name is joined
    ///     instead of run twice.
    ///   - timeout: How long all of it may take. A job that nobody has begun by then is dropped by the job server.
    /// - Returns: The worker's result; may be empty.
    /// - Throws: ``GearmanError``: `notConnected`, `timedOut`, `jobFailed`, `connectionLost`, `serverError`,
    ///   `cancelled` or `invalidArgument`.
    public func submit(
        function: String, workload: [UInt8], unique: String? = nil, timeout: Duration
    ) async throws(GearmanError) -> [UInt8] {
        try await submit(function, workload, unique, isBackground: false, timeout)
    }

    /// Submits a job whose result nobody waits for.
    ///
    /// - Parameters:
    ///   - function: The function to run.
    ///   - workload: What the worker gets; may be empty.
    ///   - unique: A name for the job, as with ``submit(function:workload:unique:timeout:)``.
    ///   - timeout: How long the job server may take to confirm that it has the job.
    /// - Returns: The job server's name for the job.
    /// - Throws: ``GearmanError``.
    @discardableResult
    public func submitBackground(
        function: String, workload: [UInt8], unique: String? = nil, timeout: Duration = .seconds(5)
    ) async throws(GearmanError) -> String {
        String(decoding: try await submit(function, workload, unique, isBackground: true, timeout), as: UTF8.self)
    }

    /// Submits many jobs at once over one connection.
    ///
    /// The workload of requests that follow each other with the same one is held once, and replies that are not read yet
    /// are left with the job server, but for a few.
    ///
    /// - Parameters:
    ///   - requests: The jobs.
    ///   - timeout: How long all of it may take, not counting the time in which the reader does not read.
    /// - Returns: The replies, one for each request, those that failed included.
    /// - Throws: ``GearmanError`` with the code `invalidArgument` when a function has a wrong name.
    public func submitAll(_ requests: [JobRequest], timeout: Duration) throws(GearmanError) -> JobReplies {
        for request in requests { try checkFunction(request.function) }
        let channel = ReplyChannel()
        let connection = ClientConnection(servers: servers)
        let deadline = ContinuousClock.now + timeout
        Task {
            await connection.run(requests, deadline: deadline) { index, result in
                channel.send(JobReply(index: index, function: requests[index].function, result: result))
            }
            channel.finish()
        }
        return JobReplies(channel: channel)
    }

    private func submit(
        _ function: String, _ workload: [UInt8], _ unique: String?, isBackground: Bool, _ timeout: Duration
    ) async throws(GearmanError) -> [UInt8] {
        try checkFunction(function)
        if let unique { try checkUnique(unique) }
        let deadline = ContinuousClock.now + timeout
        let request = JobRequest(function: function, workload: workload)
        let answer = FirstAnswer<Result<[UInt8], GearmanError>>()
        let shelf = shelf
        return try await withTaskCancellationHandler {
            // What is cancelled by now is not submitted.
            if !Task.isCancelled {
                Task {
                    await shelf.withConnection { connection in
                        await connection.run([request], unique: unique, isBackground: isBackground, deadline: deadline)
                        { answer.offer($1) }
                    }
                }
            }
            return await answer.value()
        } onCancel: {
            answer.offer(
                .failure(GearmanError(.cancelled, "the caller does not wait for the job's result any more")))
        }.get()
    }
}
