/// How a viewer watches.
public struct ViewerOptions: Sendable {
    /// How many bytes the broker keeps for this viewer while it does not keep up, 64 KiB to 1 GiB, by default 64 MiB.
    ///
    /// When there are more, the broker drops the oldest. Over ZeroMQ those who log keep a number of records instead, and
    /// drop the newest.
    public var queueBytes: Int {
        didSet { queueBytes = min(max(queueBytes, 64 << 10), 1 << 30) }
    }
    /// How many messages the broker sends ahead, 1 to 65535, by default 1,000.
    public var prefetch: Int {
        didSet { prefetch = min(max(prefetch, 1), 65_535) }
    }
    /// About how many bytes of messages the broker sends ahead, 64 KiB to 1 GiB, by default 16 MiB.
    ///
    /// A viewer that takes nothing has as much in its memory, and a message or a few more: those that were on their way
    /// when it became too much.
    public var prefetchBytes: Int {
        didSet { prefetchBytes = min(max(prefetchBytes, 64 << 10), 1 << 30) }
    }
    /// The longest pause between two attempts to reach a broker, 10 ms to an hour, by default a second.
    ///
    /// Those who log wait for two seconds after a reconnection, so that viewers are there again before records are.
    public var maximumPause: Duration {
        didSet { maximumPause = min(max(maximumPause, .milliseconds(10)), .seconds(3600)) }
    }

    /// How often a viewer makes sure that its queue is bound to the exchange, which somebody may have deleted.
    package var bindingInterval = Duration.seconds(30)

    /// The defaults.
    public init() {
        queueBytes = 64 << 20
        prefetch = 1_000
        prefetchBytes = 16 << 20
        maximumPause = .seconds(1)
    }
}
