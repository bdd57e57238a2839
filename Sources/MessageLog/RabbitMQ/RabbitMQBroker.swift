public import AMQP
public import Logging

/// Messages over RabbitMQ: a durable topic exchange, and a durable queue for each consumer's name and pattern.
///
/// Each queue keeps its messages until its consumer has handled them; there is no history, so that nothing can be read
/// again, and a message that no queue takes would be lost. ``RabbitMQOptions/allowsUnroutable`` says what is done then.
/// `docs/muskrat-library.md` compares it with the other brokers.
///
/// It connects when it is created, and again whenever the connection is lost.
public final class RabbitMQBroker: Broker {
    /// How exchange, queues and messages are set up.
    public let options: RabbitMQOptions
    private let connection: Connection
    private let logger: Logger

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - uri: Where the broker is, and who connects.
    ///   - options: How exchange, queues and messages are set up.
    ///   - connecting: How the connection is kept; its topology gets the exchange as well.
    ///   - logger: Where the connection's making and losing are reported.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`, or `systemError` when there is no descriptor left.
    public init(
        _ uri: BrokerURI, options: RabbitMQOptions = RabbitMQOptions(),
        connecting: ConnectionOptions = ConnectionOptions(name: "muskrat"), logger: Logger
    ) throws(MessageLogError) {
        try options.check()
        self.options = options
        self.logger = logger
        do throws(AMQPError) {
            var connecting = connecting
            connecting.topology = Topology(
                exchanges: connecting.topology.exchanges + [try options.exchangeDeclaration],
                queues: connecting.topology.queues, bindings: connecting.topology.bindings)
            connection = try Connection(to: uri, options: connecting, logger: logger)
        } catch {
            throw MessageLogError(error, "cannot use RabbitMQ at \(uri)")
        }
    }

    /// The broker's URI without its password, and the exchange.
    public var description: String { "\(connection.uri)?exchange=\(options.exchange)" }

    /// Makes a way to publish messages of one key.
    public func makeWriter(for key: RoutingKey) async throws(MessageLogError) -> any MessageWriter {
        try RabbitMQWriter(key, broker: description, over: connection, options: options)
    }

    /// Makes a way to consume from the queue of a consumer's name and pattern, which is made when it is not there.
    ///
    /// - Throws: ``MessageLogError`` with the code `unsupported` for options that ask for a place in the past, or for a
    ///   cursor: RabbitMQ knows only what each queue has still to hand out.
    public func makeReader(
        of pattern: RoutingPattern, for consumer: ConsumerName, options reading: ReaderOptions
    ) async throws(MessageLogError) -> any MessageReader {
        func refuse(_ what: String, _ instead: String) -> MessageLogError {
            MessageLogError(.unsupported, "RabbitMQ keeps no history, so that \(what): \(instead)")
        }
        if reading.start != .beginning || reading.ignoresCursor {
            throw refuse(
                "a consumer cannot begin elsewhere than with what waits in its queue",
                "leave the start out, or read from a log on an object store")
        }
        // Where cursors of other brokers are kept is a setting of the program as a whole, and no matter here.
        if reading.cursor != nil {
            throw refuse(
                "a queue itself is the cursor",
                "leave the cursor's name out; another consumer name has a queue of its own")
        }
        return RabbitMQReader(
            RabbitMQSubscription(
                queue: try queueName(of: pattern, for: consumer), pattern: pattern, exchange: options.exchange),
            broker: description, over: connection, options: options, batchBytes: reading.batchBytes,
            logger: logger)
    }

    /// Makes the queue of a consumer's name and pattern without consuming from it, so that messages wait there.
    ///
    /// - Throws: ``MessageLogError``.
    public func subscribe(_ consumer: ConsumerName, to pattern: RoutingPattern) async throws(MessageLogError) {
        let subscription = RabbitMQSubscription(
            queue: try queueName(of: pattern, for: consumer), pattern: pattern, exchange: options.exchange)
        try await connection.ready(description)
        try await subscription.declare(over: connection, broker: description)
    }

    /// How many messages wait for a consumer and are not handed out; its queue is made when it is not there.
    func waiting(of pattern: RoutingPattern, for consumer: ConsumerName) async throws(MessageLogError) -> Int {
        try await subscribe(consumer, to: pattern)
        let queue = try queueName(of: pattern, for: consumer)
        do throws(AMQPError) {
            return try await connection.inspectQueue(queue).messages
        } catch {
            throw MessageLogError(error, "cannot look at the queue '\(queue)' at \(self)")
        }
    }

    /// The queue's name: `EXCHANGE.NAME.PATTERN`.
    ///
    /// - Throws: ``MessageLogError`` with the code `invalidArgument` when it has more than AMQP's 255 bytes.
    public func queueName(
        of pattern: RoutingPattern, for consumer: ConsumerName
    ) throws(MessageLogError) -> String {
        let name = "\(options.exchange).\(consumer).\(pattern)"
        if name.utf8.count > 255 {
            throw MessageLogError(
                .invalidArgument, "'\(name)' is too long for a queue's name: 255 bytes are the most that AMQP has")
        }
        return name
    }

    /// Always fails: AMQP does not tell which keys were used.
    ///
    /// - Throws: ``MessageLogError`` with the code `unsupported`.
    public func keys(matching pattern: RoutingPattern) async throws(MessageLogError) -> [RoutingKey] {
        throw MessageLogError(
            .unsupported, "RabbitMQ does not tell which keys messages had: only logs on object stores can list theirs")
    }

    /// Closes the connection; what was acknowledged before arrives.
    public func close() async { await connection.close() }
}
