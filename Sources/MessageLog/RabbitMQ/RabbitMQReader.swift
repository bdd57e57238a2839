internal import AMQP
internal import Logging

/// Consumes from the queue of a consumer's name and pattern.
///
/// RabbitMQ hands out messages ahead of their commit, and takes back what is not committed when the connection is lost.
actor RabbitMQReader: MessageReader {
    private let subscription: RabbitMQSubscription
    private let broker: String
    private let connection: Connection
    private let options: RabbitMQOptions
    private let batchBytes: Int
    private let logger: Logger
    private var consumer: AMQP.Consumer?
    private var arrivals: RabbitMQArrivals?
    /// How many messages RabbitMQ hands out ahead of their commit.
    private var prefetch: Int
    private var isClosed = false

    init(
        _ subscription: RabbitMQSubscription, broker: String, over connection: Connection, options: RabbitMQOptions,
        batchBytes: Int, logger: Logger
    ) {
        self.subscription = subscription
        self.broker = broker
        self.connection = connection
        self.options = options
        prefetch = options.prefetch
        self.batchBytes = batchBytes
        self.logger = logger
    }

    /// How often one who waits for its turn looks at the queue.
    private static let turnInterval = Duration.milliseconds(500)

    /// RabbitMQ gives a queue's messages to one of its consumers at a time; another one has to have none to begin.
    func takeLease() async throws(MessageLogError) -> Bool {
        try checkOpen()
        if arrivals != nil { return true }
        try await connection.ready(broker)
        try await subscription.declare(over: connection, broker: broker)
        return try await status().consumers == 0
    }

    /// Waits as long as another consumer reads from the queue, and begins then.
    private func waitForTurn() async throws(MessageLogError) {
        while true {
            if try await takeLease() {
                let arrivals = try await started()
                // Of several who have waited for the same one to end, the queue gives messages to one.
                if try await status().consumers <= 1 || arrivals.newest > 0 { return }
                consumer?.cancel()
                await arrivals.ended()
                (consumer, self.arrivals) = (nil, nil)
            }
            do {
                try await Task.sleep(for: Self.turnInterval * Double.random(in: 0.5...1.5))
            } catch {
                throw MessageLogError(.cancelled, "the wait for another consumer was cancelled")
            }
        }
    }

    func next() async throws(MessageLogError) -> [Message] {
        if arrivals == nil { try await waitForTurn() }
        let arrivals = try await started()
        let messages = try arrivals.take(batchBytes)
        guard messages.isEmpty else { return messages }
        // Nobody says that a queue is empty: what it has ready is asked for, and what is on its way has to arrive.
        guard arrivals.openCount < prefetch, !arrivals.isOverfull else { return [] }
        let isMore = try await status().messages > 0
        try await waitForMore(atMost: isMore ? .seconds(1) : .milliseconds(50))
        return try arrivals.take(batchBytes)
    }

    func waitForMore(atMost limit: Duration) async throws(MessageLogError) {
        try await started().wait(atMost: limit)
    }

    func commit(through message: Message) async throws(MessageLogError) {
        guard case .delivery(let number) = message.position else {
            throw MessageLogError(
                .invalidArgument, "the message \(message.position) of \(message.key) did not come from \(broker)")
        }
        arrivals?.commit(through: number, of: message.key)
    }

    func rewind() async throws(MessageLogError) { arrivals?.rewind() }

    func close() async {
        isClosed = true
        consumer?.cancel()
        await arrivals?.ended()
        consumer = nil
    }

    private func checkOpen() throws(MessageLogError) {
        if isClosed { throw MessageLogError(.closed, "the reader of '\(subscription.queue)' was closed") }
    }

    private func status() async throws(MessageLogError) -> QueueStatus {
        do throws(AMQPError) {
            return try await connection.inspectQueue(subscription.queue)
        } catch {
            throw MessageLogError(error, "cannot look at the queue '\(subscription.queue)' at \(broker)")
        }
    }

    /// What has arrived; begins to consume with the first call, and again after a failure.
    private func started() async throws(MessageLogError) -> RabbitMQArrivals {
        try checkOpen()
        if let arrivals, !arrivals.isOver {
            guard let other = betterPrefetch(after: arrivals) else { return arrivals }
            logger.debug(
                "messages are asked for anew, by their length",
                metadata: ["queue": "\(subscription.queue)", "prefetch": "\(other)"])
            prefetch = other
            consumer?.cancel()
            await arrivals.ended()
        }
        try await connection.ready(broker)
        try await subscription.declare(over: connection, broker: broker)
        do throws(AMQPError) {
            let consumer = try await connection.consume(
                from: subscription.queue, options: AMQP.ConsumerOptions(prefetch: prefetch))
            let arrivals = RabbitMQArrivals(
                broker: broker, limit: options.prefetchBytes, behind: arrivals?.newest ?? 0, logger: logger)
            arrivals.start(consumer)
            self.consumer = consumer
            self.arrivals = arrivals
            return arrivals
        } catch {
            throw MessageLogError(error, "cannot consume from '\(subscription.queue)' at \(broker)")
        }
    }

    /// How many messages to ask for from now on, where that is to change; only when nothing is held.
    private func betterPrefetch(after arrivals: RabbitMQArrivals) -> Int? {
        guard arrivals.openCount == 0 else { return nil }
        let (arrived, longest) = arrivals.sizes
        let fitting = min(max(1, options.prefetchBytes / max(1, longest)), options.prefetch)
        // What was forgotten comes only to another consumer.
        if arrivals.isOverfull { return min(fitting, prefetch) }
        // Messages are short again, and have been for a while.
        return fitting >= prefetch * 4 && arrived >= prefetch * 16 ? min(prefetch * 4, fitting) : nil
    }
}
