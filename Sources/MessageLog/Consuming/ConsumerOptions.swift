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
/// Their bodies are kept as they are, and their time is that of the putting aside.
public struct DeadLetters: Sendable {
    /// The key that they are sent to.
    public var key: RoutingKey
    /// The broker of that key; `nil` for the one that they come from.
    public var broker: (any Broker)?

    /// Names a key.
    public init(_ key: RoutingKey, broker: (any Broker)? = nil) {
        self.key = key
        self.broker = broker
    }
}
