/// How a consumer goes about its messages.
public struct ConsumerOptions: Sendable {
    /// Where it begins, and which cursor it keeps.
    public var reading: ReaderOptions
    /// What happens when the handler throws.
    public var retry: HandlerRetry
    /// Where messages go that the handler fails with at every attempt; `nil` to stop at such a message.
    public var deadLetters: DeadLetters?
    /// For how long the cursor stays where it is while messages are handled: by default a second.
    ///
    /// It is moved then, and whenever there is nothing more to handle. After a crash what was handled since is handled
    /// again. Zero moves it after each message, which is a write to the store for each.
    public var commitInterval: Duration

    /// Describes a consumer.
    public init(
        reading: ReaderOptions = ReaderOptions(), retry: HandlerRetry = HandlerRetry(), deadLetters: DeadLetters? = nil,
        commitInterval: Duration = .seconds(1)
    ) {
        self.reading = reading
        self.retry = retry
        self.deadLetters = deadLetters
        self.commitInterval = commitInterval
    }
}

/// Where messages are put aside that a handler cannot deal with, so that those behind them get their turn.
///
/// Their time there is that of the putting aside.
public struct DeadLetters: Sendable {
    /// What is put aside of a message.
    public enum Form: String, Sendable, Hashable, CaseIterable {
        /// The message with its key, place and time, the consumer's name and the error: a ``DeadLetter``.
        case letter
        /// The body as it is, and nothing else.
        case body
    }

    /// The key that they are sent to.
    public var key: RoutingKey
    /// The broker of that key; `nil` for the one that they come from.
    public var broker: (any Broker)?
    /// What is put aside of each message.
    public var form: Form

    /// Names a key.
    public init(_ key: RoutingKey, broker: (any Broker)? = nil, form: Form = .letter) {
        self.key = key
        self.broker = broker
        self.form = form
    }
}
