import DedicatedThread
import Logging
import Synchronization

/// A worker's connections to one job server.
final class ConnectionPool: Sendable {
    let server: JobServer
    let function: String
    let options: WorkerOptions
    let transport: Transport
    let logger: Logger
    let handler: @Sendable (Job) async -> JobResult
    private let answered: (@Sendable (Job, AnswerFate) async -> Void)?
    /// Connections wait here until they may make an attempt.
    let book: ThreadMonitor<ConnectionBook>
    private let readiness: ReadinessGate
    private let shared: Mutex<Shared>

    /// What the book does not know: the connections themselves, and who waits for their end.
    private struct Shared {
        var connections: [ConnectionBook.Number: Connection] = [:]
        var isStopped = false
        var isCancelled = false
        var wasRegistered = false
        var wasTried = false
        var ending: [CheckedContinuation<Void, Never>] = []
    }

    init(
        server: JobServer, function: String, options: WorkerOptions, transport: Transport, logger: Logger,
        readiness: ReadinessGate, handler: @escaping @Sendable (Job) async -> JobResult,
        answered: (@Sendable (Job, AnswerFate) async -> Void)?
    ) {
        self.server = server
        self.function = function
        self.options = options
        self.transport = transport
        self.readiness = readiness
        self.handler = handler
        self.answered = answered
        var logger = logger
        logger[metadataKey: LogKey.server] = "\(server)"
        logger[metadataKey: LogKey.function] = "\(function)"
        self.logger = logger
        book = ThreadMonitor(ConnectionBook(options: options))
        shared = Mutex(Shared())
    }

    var status: JobServerStatus {
        book.withLock { book in
            JobServerStatus(
                server: server, isConnected: book.registered > 0, since: book.since, connections: book.registered,
                jobs: book.busy, lastError: book.lastError)
        }
    }

    /// Starts the connections that are always wanted.
    func start() {
        for number in book.update({ $0.start() }) { launch(number) }
    }

    /// Ends idle connections at once, and the others after the job in hand.
    func stop() {
        book.update { $0.stop() }
        let connections = shared.withLock { shared in
            shared.isStopped = true
            return shared.connections.values
        }
        for connection in connections { connection.stop() }
    }

    /// As ``stop()``, and cancels the handlers' tasks; what cannot be sent at once is not sent.
    func cancel() {
        stop()
        let connections = shared.withLock { shared in
            shared.isCancelled = true
            return shared.connections.values
        }
        for connection in connections { connection.cancel() }
    }

    /// Waits until the last connection has ended.
    func waitUntilEnded() async {
        await withCheckedContinuation { continuation in
            let isEnded = shared.withLock { shared in
                let isEnded = shared.connections.isEmpty
                if !isEnded { shared.ending.append(continuation) }
                return isEnded
            }
            if isEnded { continuation.resume() }
        }
    }

    /// Gives a connection its thread.
    func launch(_ number: ConnectionBook.Number) {
        let connection = Connection(number: number, pool: self)
        let (isStopped, isCancelled) = shared.withLock { shared in
            shared.connections[number] = connection
            return (shared.isStopped, shared.isCancelled)
        }
        if isStopped { connection.stop() }
        if isCancelled { connection.cancel() }
        let thread = DedicatedThread(name: "gearman-\(number)")
        Task {
            await thread.run { connection.main() }
            ended(number)
        }
    }

    /// The first attempt with this job server failed, or a later one did.
    func attemptFailed(_ number: ConnectionBook.Number, _ error: GearmanError) {
        if let pause = book.update({ $0.attemptFailed(number, error, now: .now) }) {
            logger.warning(
                "No connection to the job server",
                metadata: [LogKey.error: "\(error)", LogKey.retryIn: "\(pause.rounded)"])
        }
        let isFirst = shared.withLock { shared in
            defer { shared.wasTried = true }
            return !shared.wasTried && !shared.wasRegistered
        }
        if isFirst { readiness.failed() }
    }

    /// A connection was opened; its function is registered next.
    func opened(_ number: ConnectionBook.Number) {
        book.update { $0.opened(number) }
        logger.debug("Connected", metadata: [LogKey.connection: "\(number)"])
    }

    /// How long a connection may be idle; `nil` for ever.
    func lifetime(of number: ConnectionBook.Number) -> Duration? {
        number < options.connections ? nil : options.spareLifetime
    }

    /// Whether a spare connection that was idle for long is to end.
    func endIfSurplus(_ number: ConnectionBook.Number) -> Bool {
        book.withLock { $0.endIfSurplus(number) }
    }

    /// The answer to a job did not reach the job server, as far as is known.
    func answerLost(_ job: Job) {
        logger.warning(
            "The connection was lost before the job server had the answer; it gives the job to a worker again",
            metadata: [LogKey.job: "\(job.handle)"])
        tell(job, .lost)
    }

    /// The job server has the answer to a job.
    func answerDelivered(_ job: Job) { tell(job, .delivered) }

    /// Tells the owner, and blocks the connection's thread until that has taken note.
    private func tell(_ job: Job, _ fate: AnswerFate) {
        guard let answered else { return }
        let isDone = ThreadMonitor(false)
        Task {
            await answered(job, fate)
            isDone.update { $0 = true }
        }
        isDone.wait { $0 ? .value(()) : .wait(until: nil) }
    }

    /// A connection that was open ended.
    func lost(_ number: ConnectionBook.Number, _ error: GearmanError, lived: Duration) {
        let (pause, wasLast) = book.update { $0.lost(number, error, lived: lived, now: .now) }
        logger.log(
            level: wasLast ? .warning : .debug, wasLast ? "The job server is gone" : "A connection was lost",
            metadata: [LogKey.error: "\(error)", LogKey.retryIn: "\(pause.rounded)"])
    }

    func becameIdle(_ number: ConnectionBook.Number) {
        if book.withLock({ $0.becameIdle(number, now: .now) }) { registered() }
    }

    func becameBusy(_ number: ConnectionBook.Number) {
        let (isFirst, spare) = book.withLock { $0.becameBusy(number, now: .now) }
        if isFirst { registered() }
        if let spare {
            logger.debug("All connections have a job; one more is opened", metadata: [LogKey.connection: "\(spare)"])
            launch(spare)
        }
    }

    private func registered() {
        logger.info("Registered with the job server")
        let isFirst = shared.withLock { shared in
            defer { shared.wasRegistered = true }
            return !shared.wasRegistered
        }
        readiness.registered()
        if isFirst { Task { await warnOfOtherWorkers() } }
    }

    private func ended(_ number: ConnectionBook.Number) {
        let ending = shared.withLock { shared -> [CheckedContinuation<Void, Never>] in
            shared.connections[number] = nil
            guard shared.connections.isEmpty else { return [] }
            defer { shared.ending = [] }
            return shared.ending
        }
        book.update { $0.ended(number, now: .now) }
        for continuation in ending { continuation.resume() }
    }

    /// Looks once whether a worker that is not this one has the function too; both would take from the same queue.
    private func warnOfOtherWorkers() async {
        guard case .plain = transport, let admin = try? Admin(server: server, timeout: options.connectTimeout) else {
            return
        }
        do throws(GearmanError) {
            let others = try await admin.workers().filter {
                $0.identifier != options.identifier && $0.functions.contains(function)
            }
            if let other = others.first {
                logger.warning(
                    "Another worker has registered the same function; the two share its jobs",
                    metadata: [LogKey.address: "\(other.address)", LogKey.identifier: "\(other.identifier)"])
            }
        } catch {
            logger.debug("Cannot tell whether there is another worker", metadata: [LogKey.error: "\(error)"])
        }
    }
}

extension Duration {
    /// To the millisecond, for people.
    fileprivate var rounded: Duration { .milliseconds(Int(milliseconds)) }
}
