internal import AMQP
internal import DedicatedThread

/// Publishes messages of one key, and waits for their confirms.
final class RabbitMQWriter: MessageWriter {
    private let broker: String
    private let connection: Connection
    private let source: RabbitMQSource
    private let publisher: SourcePublisher

    init(
        _ key: RoutingKey, broker: String, over connection: Connection, options: RabbitMQOptions
    ) throws(MessageLogError) {
        self.broker = broker
        self.connection = connection
        source = RabbitMQSource(key, broker: broker, options: options)
        do throws(AMQPError) {
            publisher = try connection.makePublisher(for: source, window: options.window)
        } catch {
            throw MessageLogError(error, "cannot publish to \(broker)")
        }
    }

    deinit { publisher.close() }

    func append(_ batch: MessageBatch) async throws(MessageLogError) -> AppendReceipt {
        try await connection.ready(broker)
        let answer = source.begin(batch)
        publisher.wake()
        try await withTaskCancellationHandler {
            await answer.value()
        } onCancel: {
            source.giveUp(
                MessageLogError(.cancelled, "the task was cancelled before \(broker) confirmed all messages"))
        }.get()
        return AppendReceipt(first: nil, last: nil)
    }

    func close() async { publisher.close() }
}
