/// What makes an exchange put messages into a queue.
public struct Binding: Sendable, Hashable {
    /// The name of the exchange.
    public let exchange: String
    /// The name of the queue.
    public let queue: String
    /// The routing key or pattern, at most 255 bytes; a fanout exchange ignores it.
    public let routingKey: String
    /// Further arguments, which a headers exchange compares.
    public let arguments: FieldTable

    /// Describes a binding.
    ///
    /// - Throws: ``AMQPError`` with the code `invalidArgument` for a name or an argument that AMQP cannot carry.
    public init(
        exchange: String, queue: String, routingKey: String = "", arguments: FieldTable = [:]
    ) throws(AMQPError) {
        try checkName(exchange, "exchange")
        try checkName(queue, "queue")
        try checkShort(routingKey, "routing key")
        try checkTable(arguments, "arguments of the binding of '\(queue)'")
        self.exchange = exchange
        self.queue = queue
        self.routingKey = routingKey
        self.arguments = arguments
    }
}
