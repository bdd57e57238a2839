/// A queue, as it is declared.
public struct Queue: Sendable, Hashable {
    /// The name, 1 to 255 bytes.
    public let name: String
    /// Whether it outlives a restart of the broker.
    public let isDurable: Bool
    /// Whether only the connection that declared it can use it; the broker deletes it when that connection ends.
    public let isExclusive: Bool
    /// Whether it goes when its last consumer goes.
    public let isAutoDelete: Bool
    /// Further arguments, such as `x-max-length-bytes` or `x-overflow` (https://www.rabbitmq.com/docs/queues).
    public let arguments: FieldTable

    /// Describes a queue.
    ///
    /// A name is needed, so that the queue can be declared again under it when the connection was lost; the broker is
    /// never asked to find one. ``uniqueName(prefix:)`` makes one that nobody else has.
    ///
    /// - Throws: ``AMQPError`` with the code `invalidArgument` for a name or an argument that AMQP cannot carry.
    public init(
        _ name: String, isDurable: Bool = false, isExclusive: Bool = false, isAutoDelete: Bool = false,
        arguments: FieldTable = [:]
    ) throws(AMQPError) {
        try checkName(name, "queue")
        try checkTable(arguments, "arguments of queue '\(name)'")
        self.name = name
        self.isDurable = isDurable
        self.isExclusive = isExclusive
        self.isAutoDelete = isAutoDelete
        self.arguments = arguments
    }

    /// A name that no other queue has: `prefix` and a random UUID (RFC 9562, version 4).
    public static func uniqueName(prefix: String) -> String {
        var generator = SystemRandomNumberGenerator()
        let high = generator.next() & ~0xf000 | 0x4000
        let low = generator.next() & ~(0xc000 << 48) | 0x8000 << 48
        let digits = [high, low].map { value in
            let text = String(value, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
        var text = prefix
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }
}

/// What the broker says of a queue.
public struct QueueStatus: Sendable, Hashable {
    /// How many messages are ready for a consumer.
    public let messages: Int
    /// How many consumers it has.
    public let consumers: Int
}
