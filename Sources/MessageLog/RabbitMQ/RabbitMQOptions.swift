internal import AMQP

/// How exchange, queues and messages are set up at RabbitMQ.
public struct RabbitMQOptions: Sendable, Hashable {
    /// The exchange's name: 1 to 100 bytes.
    public var exchange: String
    /// Whether a message that no queue takes is confirmed and dropped.
    ///
    /// Without it such a message is refused, with the code `notFound`: a producer that runs before any consumer's queue is
    /// there hears of it, in place of losing what it sends.
    public var allowsUnroutable: Bool
    /// How many messages RabbitMQ hands out ahead of their commit, 1 to 65535.
    public var prefetch: Int
    /// How many bytes of messages a reader holds ahead of their commit, at least 1; one message more may be held.
    ///
    /// What RabbitMQ hands out beyond that is left to it, and it is asked for fewer messages at a time from then on.
    public var prefetchBytes: Int
    /// How many messages may be on their way unconfirmed, 1 to 65536.
    public var window: Int

    /// Describes how messages are carried.
    public init(
        exchange: String = "muskrat", allowsUnroutable: Bool = false, prefetch: Int = 1_000,
        prefetchBytes: Int = 64 << 20, window: Int = 1_000
    ) {
        self.exchange = exchange
        self.allowsUnroutable = allowsUnroutable
        self.prefetch = prefetch
        self.prefetchBytes = prefetchBytes
        self.window = window
    }

    func check() throws(MessageLogError) {
        guard (1...100).contains(exchange.utf8.count) else {
            throw MessageLogError(
                .invalidArgument, "'\(RoutingWord.visible(exchange))' is no name of an exchange: it has 1 to 100 bytes")
        }
        guard (1...65_535).contains(prefetch) else {
            throw MessageLogError(.invalidArgument, "a prefetch of \(prefetch) is not from 1 to 65535")
        }
        guard prefetchBytes >= 1 else {
            throw MessageLogError(.invalidArgument, "a prefetch of \(prefetchBytes) bytes is less than 1")
        }
        guard (1...65_536).contains(window) else {
            throw MessageLogError(.invalidArgument, "a window of \(window) is not from 1 to 65536")
        }
    }

    var exchangeDeclaration: Exchange {
        get throws(AMQPError) { try Exchange(exchange, kind: .topic, isDurable: true) }
    }
}
