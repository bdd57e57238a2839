public import Logging

/// Gives messages to a handler in lists: all that there is at a time, up to a limit.
///
/// ```swift
/// let insert = AggregateConsumer("Frontend.#", broker: broker, count: 500) { messages in
///     try await database.insert(messages.map(\.text))
/// }
/// try await insert.follow()
/// ```
///
/// It is a ``Consumer`` but for that: a list is handled as a whole, retried as a whole, and put aside as a whole. It is also
/// the fastest way to handle messages.
public struct AggregateConsumer: MessageConsumer {
    private let subscription: Subscription
    private let handler: Handler

    /// Describes a consumer.
    ///
    /// - Parameters:
    ///   - pattern: A routing key, in which `*` stands for one word and `#` for any number; what is none is told when the
    ///     consumer is used.
    ///   - name: The name that its cursor goes by, see ``ConsumerName``.
    ///   - broker: Where the messages are; `nil` for the first broker of the configuration.
    ///   - count: How many messages a list has at most, 1 or more.
    ///   - bytes: How many bytes the bodies of a list have at most, unless one alone has more; 1 or more.
    ///   - options: How it goes about them.
    ///   - configuration: Where the messages are, and which folder cursors are kept in, if no broker is named.
    ///   - logger: Where trouble is reported.
    ///   - handler: What is done with a list; it has a message at least.
    public init(
        _ pattern: String, name: String = "default", broker: (any Broker)? = nil, count: Int = 1000,
        bytes: Int = 4 << 20,
        options: ConsumerOptions = ConsumerOptions(),
        configuration: MessageLogConfiguration = MessageLogConfiguration(), logger: Logger? = nil,
        handler: @escaping @Sendable ([Message]) async throws -> Void
    ) {
        self.init(
            Subscription(
                pattern, name: name, at: Subscription.Place(broker, configuration), options: options, logger: logger),
            handler: .lists(ListLimits(count: count, bytes: bytes), handler))
    }

    init(_ subscription: Subscription, handler: Handler) {
        self.subscription = subscription
        self.handler = handler
    }

    /// Runs the handler with messages, wherever those come from: no retries, and no cursor is moved.
    ///
    /// - Throws: What the handler throws.
    public func callAsFunction(_ messages: [Message]) async throws { try await handler(messages) }

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
