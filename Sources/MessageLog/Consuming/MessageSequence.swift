public import Logging

/// Messages of a key, or of all keys that match a pattern, as a sequence that says itself what has been dealt with.
///
/// ```swift
/// for try await delivery in MessageSequence("Simple.Queue", broker: broker) {
///     try await store(delivery.message)
///     try await delivery.commit()
/// }
/// ```
///
/// What is not committed comes again, to this consumer when it reads anew or to another one of the same name. Each
/// iteration reads on its own behalf, and holds the consumer's lease while its iterator or one of its deliveries lives.
public struct MessageSequence: AsyncSequence, Sendable {
    /// A message, and the way to say that it has been dealt with.
    public struct Delivery: Sendable {
        /// The message.
        public let message: Message
        fileprivate let seat: ReaderSeat
        fileprivate let generation: Int

        /// Moves the cursor behind the message: it and those of its key before it do not come again.
        ///
        /// When it returns that is durable. It is done also when the task has been cancelled.
        ///
        /// - Throws: ``MessageLogError``; `leaseLost` when another consumer of the name has taken over.
        public func commit() async throws(MessageLogError) {
            try await seat.commit(through: [message], of: generation)
        }
    }

    /// What it gives.
    public typealias Element = Delivery
    /// What it throws: what ``MessageConsumer/follow(interval:)`` does, or ``MessageConsumer/consume()``.
    public typealias Failure = MessageLogError

    private let subscription: Subscription
    private let interval: Duration?

    /// Describes a sequence.
    ///
    /// - Parameters:
    ///   - pattern: A routing key, in which `*` stands for one word and `#` for any number; what is none is told when the
    ///     first message is asked for.
    ///   - name: The name that the cursor goes by, see ``ConsumerName``.
    ///   - broker: Where the messages are; `nil` for the first broker of the configuration.
    ///   - interval: How often to look for more at most, where nobody tells when there is; `nil` for a sequence that ends
    ///     when there is nothing more.
    ///   - reading: Where it begins, and which cursor it keeps.
    ///   - configuration: Where the messages are, and which folder cursors are kept in, if no broker is named.
    ///   - logger: Where trouble is reported.
    public init(
        _ pattern: String, name: String = "default", broker: (any Broker)? = nil,
        interval: Duration? = .milliseconds(250),
        reading: ReaderOptions = ReaderOptions(), configuration: MessageLogConfiguration = MessageLogConfiguration(),
        logger: Logger? = nil
    ) {
        subscription = Subscription(
            pattern, name: name, at: Subscription.Place(broker, configuration),
            options: ConsumerOptions(reading: reading), logger: logger)
        self.interval = interval
    }

    init(_ subscription: Subscription, interval: Duration?) {
        self.subscription = subscription
        self.interval = interval
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(subscription, interval: interval) }

    /// Gives one message after the other.
    public struct Iterator: AsyncIteratorProtocol {
        private let seat: ReaderSeat
        private let interval: Duration?
        private var messages: [Message] = []
        private var position = 0
        private var generation = 0
        private var patience: Patience

        fileprivate init(_ subscription: Subscription, interval: Duration?) {
            seat = ReaderSeat(subscription, follows: interval != nil)
            self.interval = interval
            patience = Patience(clock: subscription.clock, logger: subscription.logger)
        }

        /// Waits for the next message.
        ///
        /// - Returns: The message; `nil` when there is no more and the sequence does not follow.
        /// - Throws: ``MessageLogError``; `cancelled` when the task is cancelled.
        public mutating func next() async throws(MessageLogError) -> Delivery? {
            try await next(isolation: nil)
        }

        /// Waits for the next message, as ``next()`` does.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(MessageLogError) -> Delivery? {
            while true {
                if position < messages.count {
                    defer { position += 1 }
                    return Delivery(message: messages[position], seat: seat, generation: generation)
                }
                do throws(MessageLogError) {
                    let reader = try await seat.reader()
                    messages = try await reader.next()
                    (position, generation) = (0, seat.generation)
                    patience.reset()
                    guard messages.isEmpty else { continue }
                    guard let interval else { return nil }
                    try await reader.waitForMore(atMost: interval)
                } catch {
                    guard interval != nil, error.isRetriable || error.code == .leaseLost else { throw error }
                    if error.code == .leaseLost { await seat.leave() }
                    try await patience.wait(after: error)
                }
            }
        }
    }
}
