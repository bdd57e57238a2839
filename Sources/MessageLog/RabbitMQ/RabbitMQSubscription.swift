internal import AMQP

/// A queue and what goes into it.
struct RabbitMQSubscription: Sendable {
    let queue: String
    let pattern: RoutingPattern
    let exchange: String

    /// Makes the queue and binds it, now and whenever the connection is made again.
    ///
    /// The queue outlives the broker's restart, and hands messages to one of its consumers at a time, so that they keep
    /// their order (https://www.rabbitmq.com/docs/consumers#single-active-consumer).
    func declare(over connection: Connection, broker: String) async throws(MessageLogError) {
        do throws(AMQPError) {
            try await connection.declare(
                Queue(queue, isDurable: true, arguments: ["x-single-active-consumer": true]))
            try await connection.bind(Binding(exchange: exchange, queue: queue, routingKey: pattern.description))
        } catch {
            throw MessageLogError(error, "cannot make the queue '\(queue)' at \(broker)")
        }
    }
}
