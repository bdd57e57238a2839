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
    /// How many messages the broker sends ahead of their acknowledgement, 1 to 65535: the most that wait here.
    public var prefetch: Int
    /// Whether the broker refuses any other consumer of the queue.
    public var isExclusive: Bool
    /// Further arguments, such as `x-priority`.
    public var arguments: FieldTable

    /// Describes a consumer.
    public init(
        acknowledgement: Acknowledgement = .explicit, prefetch: Int = 100, isExclusive: Bool = false,
        arguments: FieldTable = [:]
    ) {
        self.acknowledgement = acknowledgement
        self.prefetch = prefetch
        self.isExclusive = isExclusive
        self.arguments = arguments
    }

    func check() throws(AMQPError) {
        guard (1...65_535).contains(prefetch) else {
            throw AMQPError(.invalidArgument, "prefetch \(prefetch) is not from 1 to 65535")
        }
        try checkTable(arguments, "arguments of the consumer")
    }
}
