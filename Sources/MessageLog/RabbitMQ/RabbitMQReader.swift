internal import AMQP
internal import Logging

/// Consumes from the queue of a consumer's name and pattern.
///
/// RabbitMQ hands out messages ahead of their commit, and takes back what is not committed when the connection is lost.
actor RabbitMQReader: MessageReader {
    private let subscription: RabbitMQSubscription
    private let broker: String
    private let connection: Connection
    private let prefetch: Int
    private let batchBytes: Int
    private let logger: Logger
    private var consumer: AMQP.Consumer?
    private var arrivals: RabbitMQArrivals?
    private var isClosed = false

    init(
        _ subscription: RabbitMQSubscription, broker: String, over connection: Connection, prefetch: Int,
        batchBytes: Int, logger: Logger
    ) {
        self.subscription = subscription
        self.broker = broker
        self.connection = connection
        self.prefetch = prefetch
        self.batchBytes = batchBytes
        self.logger = logger
    }

    func next() async throws(MessageLogError) -> [Message] {
        let arrivals = try await started()
        let messages = try arrivals.take(batchBytes)
        guard messages.isEmpty else { return messages }
        // Nobody says that a queue is empty: what it has ready is asked for, and what is on its way has to arrive.
        guard arrivals.openCount < prefetch else { return [] }
        let isMore = try await ready() > 0
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

    private func ready() async throws(MessageLogError) -> Int {
        do throws(AMQPError) {
            return try await connection.inspectQueue(subscription.queue).messages
        } catch {
            throw MessageLogError(error, "cannot look at the queue '\(subscription.queue)' at \(broker)")
        }
    }

    /// What has arrived; begins to consume with the first call, and again after a failure.
    private func started() async throws(MessageLogError) -> RabbitMQArrivals {
        if isClosed { throw MessageLogError(.closed, "the reader of '\(subscription.queue)' was closed") }
        if let arrivals, !arrivals.isOver { return arrivals }
        try await connection.ready(broker)
        try await subscription.declare(over: connection, broker: broker)
        do throws(AMQPError) {
            let consumer = try await connection.consume(
                from: subscription.queue, options: AMQP.ConsumerOptions(prefetch: prefetch))
            let arrivals = RabbitMQArrivals(broker: broker, logger: logger)
            arrivals.start(consumer)
            self.consumer = consumer
            self.arrivals = arrivals
            return arrivals
        } catch {
            throw MessageLogError(error, "cannot consume from '\(subscription.queue)' at \(broker)")
        }
    }
}
