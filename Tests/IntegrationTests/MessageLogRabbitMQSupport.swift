import AMQP
import Logging
import MessageLog
import TestServers

/// RabbitMQ on this machine as a broker of messages, while `body` runs.
func withRabbitMQBroker<Value>(
    _ server: RabbitMQServer, user: String = "guest:guest", options: RabbitMQOptions = RabbitMQOptions(),
    isolation: isolated (any Actor)? = #isolation, _ body: (RabbitMQBroker) async throws -> Value
) async throws -> Value {
    let broker = try RabbitMQBroker(
        BrokerURI("amqp://\(user)@127.0.0.1:\(server.port)"), options: options, connecting: quickOptions(),
        logger: quietLogger)
    do {
        let value = try await body(broker)
        await broker.close()
        return value
    } catch {
        await broker.close()
        throw error
    }
}

/// A reader of a consumer's queue, while `body` runs.
func withReader<Value>(
    of broker: RabbitMQBroker, _ name: String, _ pattern: String, isolation: isolated (any Actor)? = #isolation,
    _ body: (any MessageReader) async throws -> Value
) async throws -> Value {
    let reader = try await broker.makeReader(
        of: RoutingPattern(pattern), for: ConsumerName(name), options: ReaderOptions())
    do {
        let value = try await body(reader)
        await reader.close()
        return value
    } catch {
        await reader.close()
        throw error
    }
}

extension MessageReader {
    /// Reads until so many messages have come, and commits each group at once if asked to.
    func read(
        _ count: Int, within limit: Duration = .seconds(30), committing: Bool = false
    ) async throws -> [Message] {
        var messages: [Message] = []
        let deadline = ContinuousClock.now + limit
        while messages.count < count {
            guard .now < deadline else { throw TestServerError("\(messages.count) of \(count) messages came") }
            let group = try await next()
            if committing, let last = group.last { try await commit(through: last) }
            messages += group
            if messages.count < count { try await waitForMore(atMost: .milliseconds(100)) }
        }
        return messages
    }
}

/// The code of the error that a message log throws, if `body` throws one.
func messageLogError(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
) async -> MessageLogError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? MessageLogError
    }
}
