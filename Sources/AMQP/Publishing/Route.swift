/// Where messages go and how they are marked, prepared once for many messages.
public struct Route: Sendable {
    /// The name of the exchange; empty for the default exchange, which takes a queue's name as routing key.
    public let exchange: String
    /// The routing key, at most 255 bytes.
    public let routingKey: String
    /// What each message says of itself.
    public let properties: MessageProperties
    /// Whether a message that no queue takes comes back.
    ///
    /// Without it the broker confirms and drops such a message. A mandatory message carries the header `x-publish-sequence`, by which it is known again when it comes back.
    public let isMandatory: Bool
    let encoded: EncodedRoute

    /// Prepares a route.
    ///
    /// - Throws: ``AMQPError`` with the code `invalidArgument` for what AMQP cannot carry.
    public init(
        exchange: String, routingKey: String = "", properties: MessageProperties = MessageProperties(),
        isMandatory: Bool = false
    ) throws(AMQPError) {
        try checkShort(exchange, "name of exchange '\(exchange.prefix(32))…'")
        try checkShort(routingKey, "routing key '\(routingKey.prefix(32))…'")
        try properties.check()
        self.exchange = exchange
        self.routingKey = routingKey
        self.properties = properties
        self.isMandatory = isMandatory
        encoded = EncodedRoute(
            exchange: exchange, routingKey: routingKey, properties: properties, isMandatory: isMandatory)
    }
}
