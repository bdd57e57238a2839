public import Logging

/// Gives messages of a key, or of all keys that match a pattern, to a handler: one after the other, at least once.
///
/// ```swift
/// let consume = Consumer("Simple.Queue") { message in print(message.text) }
///
/// try await consume.consume()  // all there is
/// try await consume.follow()  // and what comes
/// try await consume(message)  // only runs the handler
/// ```
///
/// Where it stands is kept by the broker as a cursor, by the consumer's name: consumers of different names each get every
/// message, those of one name take turns. The cursor moves when the handler has returned. A handler that throws gets the
/// same message again, with pauses between; a message that it throws with at every attempt is put aside where
/// ``ConsumerOptions/deadLetters`` says so, and ends the consumer else.
public struct Consumer: MessageConsumer {
    private let subscription: Subscription
    private let handler: Handler

    /// Describes a consumer whose handler waits for nothing: the fastest way to get one message after the other.
    ///
    /// The handler runs on a thread of Swift's pool, and must not block it.
    ///
    /// - Parameters:
    ///   - pattern: A routing key, in which `*` stands for one word and `#` for any number; what is none is told when the
    ///     consumer is used.
    ///   - name: The name that its cursor goes by, see ``ConsumerName``.
    ///   - broker: Where the messages are; `nil` for the first broker of the configuration.
    ///   - options: How it goes about them.
    ///   - configuration: Where the messages are, and which folder cursors are kept in, if no broker is named.
    ///   - logger: Where trouble is reported.
    ///   - handler: What is done with a message.
    public init(
        _ pattern: String, name: String = "default", broker: (any Broker)? = nil,
        options: ConsumerOptions = ConsumerOptions(),
        configuration: MessageLogConfiguration = MessageLogConfiguration(), logger: Logger? = nil,
        handler: @escaping @Sendable (Message) throws -> Void
    ) {
        self.init(
            Subscription(
                pattern, name: name, at: Subscription.Place(broker, configuration), options: options, logger: logger),
            handler: .each(handler)
        )
    }

    /// Describes a consumer.
    ///
    /// - Parameters:
    ///   - pattern: A routing key, in which `*` stands for one word and `#` for any number; what is none is told when the
    ///     consumer is used.
    ///   - name: The name that its cursor goes by, see ``ConsumerName``.
    ///   - broker: Where the messages are; `nil` for the first broker of the configuration.
    ///   - options: How it goes about them.
    ///   - configuration: Where the messages are, and which folder cursors are kept in, if no broker is named.
    ///   - logger: Where trouble is reported.
    ///   - handler: What is done with a message.
    public init(
        _ pattern: String, name: String = "default", broker: (any Broker)? = nil,
        options: ConsumerOptions = ConsumerOptions(),
        configuration: MessageLogConfiguration = MessageLogConfiguration(), logger: Logger? = nil,
        handler: @escaping @Sendable (Message) async throws -> Void
    ) {
        self.init(
            Subscription(
                pattern, name: name, at: Subscription.Place(broker, configuration), options: options, logger: logger),
            handler: .eachAsync(handler))
    }

    init(_ subscription: Subscription, handler: Handler) {
        self.subscription = subscription
        self.handler = handler
    }

    /// Runs the handler with a message, wherever that comes from: no retries, and no cursor is moved.
    ///
    /// - Throws: What the handler throws.
    public func callAsFunction(_ message: Message) async throws { try await handler([message]) }

    /// Handles what there is, and returns when there is nothing more; see ``MessageConsumer/consume()``.
    @discardableResult
    public func consume() async throws(MessageLogError) -> ConsumerCounts {
        try await ConsumerRun.consume(subscription, handler)
    }

    /// Handles what there is and then what comes, until the task is cancelled; see ``MessageConsumer/follow(interval:)``.
    @discardableResult
    public func follow(interval: Duration) async throws(MessageLogError) -> ConsumerCounts {
        try await ConsumerRun.follow(subscription, handler, interval: interval)
    }
}
