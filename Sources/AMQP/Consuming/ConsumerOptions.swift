/// How a consumer takes messages.
public struct ConsumerOptions: Sendable {
    /// Who acknowledges messages.
    public enum Acknowledgement: Sendable {
        /// The program, with ``Delivery/acknowledge()`` and its kin.
        case explicit
        /// The consumer, when the program asks for the next message; several at once.
        case onNext
    }

    /// Who acknowledges messages.
    public var acknowledgement: Acknowledgement
    /// How many messages the broker sends ahead of their acknowledgement, 1 to 65535: the most that wait here, unless
    /// ``prefetchBytes`` changes it on the way.
    public var prefetch: Int
    /// About how many bytes the messages may have that the broker sends ahead, at least 1; nil for any number.
    ///
    /// The consumer keeps to it by asking the broker for fewer messages while they are long: it begins with one, and goes
    /// up to ``prefetch`` while they are short. Each change is another consumer to the broker: what the one before was sent
    /// and is not answered comes on top, at most as many messages again; and this is not for a queue that chooses among
    /// consumers (`x-single-active-consumer`), a stream, or an exclusive consumer. A program that answers none of the
    /// messages of half as many bytes may wait for the next in vain.
    public var prefetchBytes: Int?
    /// Whether the broker refuses any other consumer of the queue.
    public var isExclusive: Bool
    /// Further arguments, such as `x-priority`.
    public var arguments: FieldTable

    /// Describes a consumer.
    public init(
        acknowledgement: Acknowledgement = .explicit, prefetch: Int = 100, prefetchBytes: Int? = nil,
        isExclusive: Bool = false, arguments: FieldTable = [:]
    ) {
        self.acknowledgement = acknowledgement
        self.prefetch = prefetch
        self.prefetchBytes = prefetchBytes
        self.isExclusive = isExclusive
        self.arguments = arguments
    }

    func check() throws(AMQPError) {
        guard (1...65_535).contains(prefetch) else {
            throw AMQPError(.invalidArgument, "prefetch \(prefetch) is not from 1 to 65535")
        }
        if let prefetchBytes {
            guard prefetchBytes > 0 else {
                throw AMQPError(.invalidArgument, "a prefetch of \(prefetchBytes) bytes is not at least 1")
            }
            guard !isExclusive else {
                throw AMQPError(.invalidArgument, "an exclusive consumer cannot have a prefetch in bytes")
            }
        }
        try checkTable(arguments, "arguments of the consumer")
    }
}
