import AMQP
import TestServers
import Testing

/// Against one RabbitMQ that stays well.
@Suite(.timeLimit(.minutes(3)), .serialized) struct AMQPTests {
    @Test("declaring, publishing, consuming, refusing and limits work against a real broker")
    func broker() async throws {
        try await withRabbitMQ { server in
            try await messagesArriveAsSent(server)
            try await answersDecide(server)
            try await prefetchBounds(server)
            try await prefetchBytesBound(server)
            try await returnedAndRefused(server)
            try await refusedDeclarations(server)
            try await logins(server)
            try await channelsOfOneConnection(server)
            try await consumersEnd(server)
        }
    }

    private func messagesArriveAsSent(_ server: RabbitMQServer) async throws {
        try await withConnection(to: server.port) { connection in
            try await connection.declare(Exchange("sent", kind: .topic, isAutoDelete: true))
            try await connection.declare(Queue("sent", isExclusive: true, isAutoDelete: true))
            try await connection.bind(Binding(exchange: "sent", queue: "sent", routingKey: "a.#"))
            let consumer = try await connection.consume(from: "sent")
            let properties = MessageProperties(
                contentType: "application/json", contentEncoding: "utf-8",
                headers: [
                    "text": "grün", "number": -7, "flag": true, "list": .array([1, "two"]), "void": .void,
                    "bytes": .bytes([0, 255]), "table": .table(["double": .double(1.5)]), "time": .timestamp(1),
                ], isPersistent: true, priority: 3, correlationID: "c", replyTo: "r", expiration: "60000",
                messageID: "m", timestamp: 1_700_000_000, type: "t", userID: "guest", appID: "app")
            let route = try Route(exchange: "sent", routingKey: "a.b", properties: properties)
            let publisher = try connection.makePublisher()
            // Around a frame's size, and far beyond the socket's buffer.
            let sizes = [0, 1, 200, 32_759, 32_760, 32_761, 65_520, 100_000, 10_000_000]
            var iterator = consumer.makeAsyncIterator()
            for size in sizes {
                let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                async let confirmed: Void = publisher.publish(body, to: route)
                let delivery = try #require(try await iterator.next())
                #expect(delivery.body == body)
                #expect(delivery.properties == properties)
                #expect(delivery.exchange == "sent")
                #expect(delivery.routingKey == "a.b")
                #expect(!delivery.isRedelivered)
                delivery.acknowledge()
                try await confirmed
            }
        }
    }

    private func answersDecide(_ server: RabbitMQServer) async throws {
        try await withConnection(to: server.port) { connection in
            try await connection.declare(Queue("answers", isExclusive: true))
            let publisher = try connection.makePublisher()
            try await publisher.publish(Array("x".utf8), to: Route(exchange: "", routingKey: "answers"))
            let consumer = try await connection.consume(from: "answers", options: ConsumerOptions(prefetch: 1))
            var iterator = consumer.makeAsyncIterator()
            let answers: [(Delivery) -> Void] = [
                { $0.negativelyAcknowledge(requeue: true) }, { $0.reject(requeue: true) },
                { $0.reject(requeue: false) },
            ]
            for (index, answer) in answers.enumerated() {
                let delivery = try #require(try await iterator.next())
                #expect(delivery.isRedelivered == (index > 0))
                answer(delivery)
                // A second answer would end the channel, were it sent.
                delivery.acknowledge()
            }
            try await publisher.publish(Array("y".utf8), to: Route(exchange: "", routingKey: "answers"))
            #expect(try await iterator.next()?.body == Array("y".utf8))
        }
    }

    private func prefetchBounds(_ server: RabbitMQServer) async throws {
        try await withConnection(to: server.port) { connection in
            try await connection.declare(Queue("ahead", isExclusive: true))
            let source = NumberSource(route: try Route(exchange: "", routingKey: "ahead"), limit: 1_000)
            let publisher = try connection.makePublisher(for: source, window: 64)
            publisher.wake()
            try await eventually("all confirmed") { source.confirmedCount == 1_000 }
            let consumer = try await connection.consume(
                from: "ahead", options: ConsumerOptions(acknowledgement: .onNext, prefetch: 10))
            try await eventually("ten sent ahead") {
                try await connection.inspectQueue("ahead").messages == 990
            }
            var seen: [Int] = []
            for try await delivery in consumer {
                seen.append(number(of: delivery) ?? 0)
                if seen.count == 1_000 { break }
            }
            #expect(seen == Array(1...1_000))
            #expect(try await connection.inspectQueue("ahead").messages == 0)
        }
    }

    private func prefetchBytesBound(_ server: RabbitMQServer) async throws {
        try await withConnection(to: server.port) { connection in
            // It would go with the first of the consumers, had it no other by then.
            try await connection.declare(Queue("long", isAutoDelete: true))
            let route = try Route(exchange: "", routingKey: "long")
            for (count, size) in [(60, 100_000), (200, 0)] {
                let source = NumberSource(route: route, limit: count, size: size)
                try connection.makePublisher(for: source).wake()
                try await eventually("all confirmed") { source.confirmedCount == count }
            }
            let consumer = try await connection.consume(
                from: "long", options: ConsumerOptions(prefetch: 1_000, prefetchBytes: 1_000_000))
            // One, and eight more that it leaves room for; none of them is answered.
            try await eventually("nine sent ahead") { try await connection.inspectQueue("long").messages == 251 }
            var seen: [Int] = []
            for try await delivery in consumer {
                seen.append(number(of: delivery) ?? 0)
                delivery.acknowledge()
                // Ten fit, and as many again may come of the consumer before.
                if seen.count == 9 { #expect(try await connection.inspectQueue("long").messages >= 210) }
                if seen.count == 260 { break }
            }
            #expect(seen == Array(1...60) + Array(1...200))
            try await eventually("one consumer to be left") {
                let status = try await connection.inspectQueue("long")
                return status.messages == 0 && status.consumers == 1
            }
            consumer.cancel()
        }
    }

    private func returnedAndRefused(_ server: RabbitMQServer) async throws {
        try await withConnection(to: server.port) { connection in
            let publisher = try connection.makePublisher()
            let nowhere = try Route(exchange: "amq.fanout", routingKey: "nobody", isMandatory: true)
            try await connection.declare(Queue("somewhere", isExclusive: true))
            let somewhere = try Route(exchange: "", routingKey: "somewhere", isMandatory: true)
            // One by one, and those between them arrive.
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let error = await amqpError {
                            try await publisher.publish([1], to: index % 2 == 0 ? nowhere : somewhere)
                        }
                        return (error?.code == .unroutable && error?.replyCode == 312) == (index % 2 == 0)
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
            #expect(try await connection.inspectQueue("somewhere").messages == 100)

            try await connection.declare(
                Queue("full", isExclusive: true, arguments: ["x-max-length": 3, "x-overflow": "reject-publish"]))
            let full = try Route(exchange: "", routingKey: "full")
            for _ in 0..<3 { try await publisher.publish([1], to: full) }
            #expect(await amqpError { try await publisher.publish([1], to: full) }?.code == .messageRefused)
            #expect(try await connection.purgeQueue("full") == 3)

            // The channel dies with it and is opened again.
            let missing = try Route(exchange: "missing")
            let error = await amqpError { try await publisher.publish([1], to: missing) }
            #expect(error?.code == .channelClosed)
            #expect(error?.replyCode == 404)
            #expect(error?.message.contains("missing") == true)
            try await publisher.publish([1], to: full)
        }
    }

    private func refusedDeclarations(_ server: RabbitMQServer) async throws {
        try await withConnection(to: server.port) { connection in
            try await connection.declare(Exchange("kind", kind: .fanout))
            let error = await amqpError { try await connection.declare(Exchange("kind", kind: .direct)) }
            #expect(error?.code == .channelClosed)
            #expect(error?.replyCode == 406)
            #expect(error?.message.contains("declare exchange 'kind'") == true)
            let missing = await amqpError {
                try await connection.bind(Binding(exchange: "kind", queue: "missing"))
            }
            #expect(missing?.replyCode == 404)
            #expect(await amqpError { _ = try await connection.consume(from: "missing") }?.replyCode == 404)
            // The same connection goes on.
            try await connection.declare(Queue("kind", isExclusive: true))
            let binding = try Binding(exchange: "kind", queue: "kind")
            try await connection.bind(binding)
            try await connection.unbind(binding)
            try await connection.deleteQueue("kind")
            try await connection.deleteExchange("kind")
            #expect(await amqpError { _ = try await connection.inspectQueue("kind") }?.replyCode == 404)
            // An exchange that cannot be declared keeps the whole connection from being ready, and says why.
            let options = quickOptions(topology: Topology(exchanges: [try Exchange("amq.fanout", kind: .direct)]))
            let refused = await amqpError { try await withConnection(to: server.port, options: options) { _ in } }
            #expect(refused?.message.contains("declare exchange 'amq.fanout'") == true)
        }
    }

    private func logins(_ server: RabbitMQServer) async throws {
        let wrong = await amqpError { try await withConnection(to: server.port, user: "guest:s3cret") { _ in } }
        #expect(wrong?.code == .accessRefused)
        #expect(wrong?.replyCode == 403)
        #expect(wrong?.description.contains("guest") == true)
        #expect(!"\(String(describing: wrong))".contains("s3cret"))
        let host = await amqpError { try await withConnection(to: server.port, host: "nowhere") { _ in } }
        #expect(host?.code == .virtualHostRefused)
        #expect(host?.message.contains("nowhere") == true)
        let closed = try Connection(
            to: BrokerURI("amqp://127.0.0.1:\(try freePort())"), options: quickOptions(), logger: quietLogger)
        _ = await firstFailure(of: closed).value
        let error = await amqpError { try await closed.waitUntilReady(within: .milliseconds(1)) }
        #expect(error?.code == .timedOut)
        #expect(error?.description.contains("refused") == true, "\(String(describing: error))")
        await closed.close()
        #expect(await amqpError { try await closed.waitUntilReady() }?.code == .closed)
        #expect(await amqpError { _ = try await closed.inspectQueue("x") }?.code == .closed)
    }

    private func channelsOfOneConnection(_ server: RabbitMQServer) async throws {
        try await withConnection(to: server.port) { connection in
            // Large and small messages on several channels at once: their frames come mixed.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<4 {
                    group.addTask {
                        let name = "mixed\(index)"
                        try await connection.declare(Queue(name, isExclusive: true))
                        let publisher = try connection.makePublisher(window: 8)
                        let route = try Route(exchange: "", routingKey: name)
                        let consumer = try await connection.consume(from: name)
                        async let published: Void = {
                            for size in 0..<40 {
                                let body = Array(repeating: UInt8(index), count: size * 10_000)
                                try await publisher.publish(body, to: route)
                            }
                        }()
                        var size = 0
                        for try await delivery in consumer {
                            #expect(delivery.body.count == size * 10_000)
                            #expect(delivery.body.allSatisfy { $0 == UInt8(index) })
                            delivery.acknowledge()
                            size += 1
                            if size == 40 { break }
                        }
                        try await published
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    private func consumersEnd(_ server: RabbitMQServer) async throws {
        try await withConnection(to: server.port) { connection in
            try await connection.declare(Queue("ending"))
            let consumer = try await connection.consume(from: "ending")
            try await connection.deleteQueue("ending")
            let error = await amqpError { for try await _ in consumer {} }
            #expect(error?.code == .consumerCancelled)

            try await connection.declare(Queue("ending", isAutoDelete: true))
            let other = try await connection.consume(from: "ending")
            other.cancel()
            for try await _ in other { Issue.record("a message from nowhere") }
            // An auto-delete queue goes with its consumer.
            try await eventually("the queue's end") {
                await amqpError { _ = try await connection.inspectQueue("ending") }?.replyCode == 404
            }
            let exclusive = try await connection.declare(Queue("mine", isExclusive: true))
            #expect(exclusive.messages == 0 && exclusive.consumers == 0)
            try await withConnection(to: server.port) { stranger in
                #expect(await amqpError { _ = try await stranger.inspectQueue("mine") }?.replyCode == 405)
            }
        }
    }
}
