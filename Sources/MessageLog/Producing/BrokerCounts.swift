/// What a producer has brought to one of its brokers.
public struct BrokerCounts: Sendable {
    /// Numbers of messages.
    struct Numbers {
        var stored: UInt64 = 0
        var spooled: UInt64 = 0
        var caughtUp: UInt64 = 0
        var refused: UInt64 = 0
    }

    /// The broker, as it describes itself.
    public let broker: String
    /// How many messages the broker took at once.
    public let stored: UInt64
    /// How many messages went into the spool.
    public let spooled: UInt64
    /// How many messages the broker got from the spool, those of earlier processes included.
    public let caughtUp: UInt64
    /// How many messages were refused, and are not in the spool either.
    public let refused: UInt64
    /// How many batches wait in the spool.
    public let waitingBatches: UInt64
    /// Whether the broker is away, or has still to get what waits for it.
    public let isBehind: Bool
    /// Why, as far as it is known.
    public let lastFailure: MessageLogError?

    init(
        broker: String, numbers: Numbers, waitingBatches: UInt64, isBehind: Bool, lastFailure: MessageLogError?
    ) {
        self.broker = broker
        stored = numbers.stored
        spooled = numbers.spooled
        caughtUp = numbers.caughtUp
        refused = numbers.refused
        self.waitingBatches = waitingBatches
        self.isBehind = isBehind
        self.lastFailure = lastFailure
    }
}
