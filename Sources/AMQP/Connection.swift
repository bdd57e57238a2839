internal import DedicatedThread
public import Logging

/// A connection to an AMQP 0-9-1 broker, such as RabbitMQ, that is made again whenever it is lost.
///
/// It connects in the background as soon as it is created and goes on trying until ``close()``, with pauses that grow
/// and a little chance in them. Whenever it is made, it first declares again what was declared over it and what
/// ``ConnectionOptions/topology`` has, then brings publishers and consumers back. ``states`` tells how it fares.
///
/// It has one thread, which waits for the socket and for other threads to ask for something, and for nothing else but
/// what heartbeats need. Releasing the last reference to it and its publishers and consumers does not close it.
///
/// ```swift
/// let connection = try Connection(to: BrokerURI("amqp://logs:secret@mq.example/fleet"), logger: logger)
/// try await connection.waitUntilReady(within: .seconds(10))
/// ```
public final class Connection: Sendable {
    /// Where the broker is.
    public let uri: BrokerURI
    private let mailbox: Mailbox
    private let board: StateBoard

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - uri: Where the broker is, and who connects.
    ///   - options: How the connection is kept.
    ///   - logger: Where the connection's making and losing are reported.
    /// - Throws: ``AMQPError`` with the code `invalidArgument`, or `systemError` when there is no descriptor left.
    public init(
        to uri: BrokerURI, options: ConnectionOptions = ConnectionOptions(), logger: Logger
    ) throws(AMQPError) {
        try options.check()
        self.uri = uri
        let mailbox = try Mailbox()
        let board = StateBoard()
        self.mailbox = mailbox
        self.board = board
        let thread = DedicatedThread(name: "amqp")
        Task {
            await thread.run {
                EventLoop(uri: uri, options: options, mailbox: mailbox, board: board, logger: logger).run()
            }
        }
    }

    // MARK: State

    /// What it is doing now.
    public var state: ConnectionState { board.current }

    /// What it is doing now, and each change from then on; ends after `closed`.
    ///
    /// Who does not listen for a long time misses the oldest of more than 64 changes.
    public var states: AsyncStream<ConnectionState> { board.states() }

    /// Waits until the connection works and all is restored.
    ///
    /// - Parameter limit: How long to wait; `nil` for as long as it takes.
    /// - Throws: ``AMQPError`` of an attempt that failed for a reason that time alone does not mend, such as a wrong
    ///   password; with the code `timedOut` and the last failure as its cause, `closed`, or `cancelled`. The connection
    ///   goes on trying all the same.
    public func waitUntilReady(within limit: Duration? = nil) async throws(AMQPError) {
        let answer = FirstAnswer<Result<Void, AMQPError>>()
        let listening = Task { [states] in
            for await state in states {
                switch state {
                case .connected, .blocked: answer.offer(.success(()))
                case .waiting(let error, _) where !error.isRetriable: answer.offer(.failure(error))
                case .closed: answer.offer(.failure(AMQPError(.closed, "the connection was closed")))
                case .connecting, .waiting: continue
                }
                return
            }
        }
        let timer = limit.map { limit in
            Task { [board, uri] in
                guard (try? await Task.sleep(for: limit)) != nil else { return }
                let text = "no connection to broker \(uri) within \(limit)"
                answer.offer(.failure(AMQPError(.timedOut, text, cause: board.lastFailure)))
            }
        }
        let result = await withTaskCancellationHandler {
            await answer.value()
        } onCancel: {
            answer.offer(.failure(AMQPError(.cancelled, "the wait for broker \(uri) was cancelled")))
        }
        listening.cancel()
        timer?.cancel()
        try result.get()
    }

    /// Closes the connection, and returns when it is closed, or at once when the task was cancelled.
    ///
    /// What was sent before it arrives, unless the broker does not answer within a second; messages that wait to be
    /// confirmed are reported as lost. While it is connecting this takes as long as the attempt, at most
    /// ``ConnectionOptions/connectTimeout``.
    public func close() async {
        _ = mailbox.post(.close)
        for await _ in states {}
    }

    // MARK: Declarations

    /// Declares an exchange, now and whenever the connection is made again.
    ///
    /// - Throws: ``AMQPError`` with the code `channelClosed` when the broker refuses, for instance with reply code 406
    ///   when there is another of that name; `closed` or `cancelled`. While there is no connection it waits for one.
    public func declare(_ exchange: Exchange) async throws(AMQPError) {
        _ = try await perform(.declareExchange(exchange))
    }

    /// Declares a queue, now and whenever the connection is made again.
    ///
    /// - Returns: What the queue has.
    /// - Throws: ``AMQPError`` as ``declare(_:)-(Exchange)`` does.
    @discardableResult
    public func declare(_ queue: Queue) async throws(AMQPError) -> QueueStatus {
        try await status(.declareQueue(queue))
    }

    /// Binds a queue to an exchange, now and whenever the connection is made again.
    ///
    /// - Throws: ``AMQPError`` as ``declare(_:)-(Exchange)`` does; reply code 404 when one of the two is not there.
    public func bind(_ binding: Binding) async throws(AMQPError) { _ = try await perform(.bind(binding)) }

    /// Takes a binding back.
    ///
    /// - Throws: ``AMQPError`` as ``declare(_:)-(Exchange)`` does.
    public func unbind(_ binding: Binding) async throws(AMQPError) { _ = try await perform(.unbind(binding)) }

    /// Deletes an exchange; that it is not there is no error.
    ///
    /// - Throws: ``AMQPError`` as ``declare(_:)-(Exchange)`` does.
    public func deleteExchange(_ name: String) async throws(AMQPError) {
        try checkName(name, "exchange")
        _ = try await perform(.deleteExchange(name))
    }

    /// Deletes a queue with its messages; that it is not there is no error.
    ///
    /// - Throws: ``AMQPError`` as ``declare(_:)-(Exchange)`` does.
    public func deleteQueue(_ name: String) async throws(AMQPError) {
        try checkName(name, "queue")
        _ = try await perform(.deleteQueue(name))
    }

    /// Looks at a queue without declaring it.
    ///
    /// - Throws: ``AMQPError`` as ``declare(_:)-(Exchange)`` does; reply code 404 when it is not there.
    public func inspectQueue(_ name: String) async throws(AMQPError) -> QueueStatus {
        try checkName(name, "queue")
        return try await status(.inspectQueue(name))
    }

    /// Deletes the messages of a queue that wait for a consumer.
    ///
    /// - Returns: How many there were.
    /// - Throws: ``AMQPError`` as ``declare(_:)-(Exchange)`` does.
    @discardableResult
    public func purgeQueue(_ name: String) async throws(AMQPError) -> Int {
        try checkName(name, "queue")
        return try await status(.purgeQueue(name)).messages
    }

    private func status(_ operation: Operation) async throws(AMQPError) -> QueueStatus {
        guard let status = try await perform(operation) else {
            throw AMQPError(.protocolViolation, "the broker answered something else than: \(operation)")
        }
        return status
    }

    private func perform(_ operation: Operation) async throws(AMQPError) -> QueueStatus? {
        let answer = FirstAnswer<Result<QueueStatus?, AMQPError>>()
        if !mailbox.post(.perform(Request(operation: operation, answer: answer))) { throw closedError }
        return try await withTaskCancellationHandler {
            await answer.value()
        } onCancel: {
            answer.offer(.failure(AMQPError(.cancelled, "cannot \(operation): the task was cancelled")))
        }.get()
    }

    private var closedError: AMQPError { AMQPError(.closed, "the connection to broker \(uri) was closed") }

    // MARK: Publishers and consumers

    /// Makes a publisher whose tasks wait for their confirms.
    ///
    /// - Parameter window: How many messages may be on their way unconfirmed, 1 to 65536.
    /// - Returns: The publisher; it is there at once, and publishes when there is a connection.
    /// - Throws: ``AMQPError`` with the code `invalidArgument` or `closed`.
    public func makePublisher(window: Int = 1_000) throws(AMQPError) -> Publisher {
        let source = QueueSource()
        return Publisher(source: source, publisher: try makePublisher(for: source, window: window))
    }

    /// Makes a publisher that takes its messages from a source, on the connection's thread.
    ///
    /// - Parameters:
    ///   - source: Where messages come from; held until the publisher or the connection is closed.
    ///   - window: How many messages may be on their way unconfirmed, 1 to 65536.
    /// - Returns: The publisher, for waking and closing.
    /// - Throws: ``AMQPError`` with the code `invalidArgument` or `closed`.
    public func makePublisher(
        for source: some MessageSource, window: Int = 1_000
    ) throws(AMQPError) -> SourcePublisher {
        guard (1...65_536).contains(window) else {
            throw AMQPError(.invalidArgument, "a window of \(window) messages is not from 1 to 65536")
        }
        let link = PublisherLink(source: source, window: window, wakeUp: mailbox.wakeUp)
        if !mailbox.post(.addPublisher(link)) { throw closedError }
        return SourcePublisher(link: link, mailbox: mailbox)
    }

    /// Begins to consume from a queue, now and whenever the connection is made again.
    ///
    /// - Parameters:
    ///   - queue: The queue's name.
    ///   - options: How messages are taken.
    /// - Returns: The messages.
    /// - Throws: ``AMQPError`` with the code `channelClosed` when the broker refuses, for instance with reply code 404
    ///   when there is no such queue; `invalidArgument`, `closed` or `cancelled`. While there is no connection it waits
    ///   for one.
    public func consume(
        from queue: String, options: ConsumerOptions = ConsumerOptions()
    ) async throws(AMQPError) -> Consumer {
        try checkName(queue, "queue")
        try options.check()
        let inbox = Inbox(options) { [mailbox] in mailbox.wakeUp.signal() }
        let link = ConsumerLink(queue: queue, options: options, inbox: inbox, started: FirstAnswer())
        if !mailbox.post(.addConsumer(link)) { throw closedError }
        let result = await withTaskCancellationHandler {
            await link.started.value()
        } onCancel: {
            _ = mailbox.post(.cancelConsumer(link))
            link.started.offer(.failure(AMQPError(.cancelled, "the wait for queue '\(queue)' was cancelled")))
        }
        try result.get()
        return Consumer(link: link, mailbox: mailbox)
    }
}
