import AMQP
import CivilTime
import MessageLog
import TestServers
import Testing

/// Messages over one RabbitMQ that stays well.
@Suite(.timeLimit(.minutes(3)), .serialized) struct MessageLogRabbitMQTests {
    @Test("producers and consumers meet at a real RabbitMQ: order, times, commits, redelivery, limits and refusals")
    func broker() async throws {
        try await withRabbitMQ { server in
            try await messagesArriveAsSent(server)
            try await commitsDecide(server)
            try await longMessages(server)
            try await namesAndPatterns(server)
            try await oneOfAName(server)
            try await withoutQueue(server)
            try await fullQueue(server)
            try await refusals(server)
            try await logins(server)
            try await passwordFile(server)
            try await deletedExchange(server)
        }
    }

    private func messagesArriveAsSent(_ server: RabbitMQServer) async throws {
        try await withRabbitMQBroker(server) { broker in
            try await broker.subscribe(ConsumerName("first"), to: RoutingPattern("shop.#"))
            let producer = try ConcurrentProducer(routingKey: "Shop.Sales", brokers: [broker])
            let start = UTCTime(microseconds: 1_795_224_225_678_901)
            var bodies = (0..<3_000).map { Array("message \($0)".utf8) }
            bodies.append([])
            bodies.append((0..<300_000).map { UInt8(truncatingIfNeeded: $0) })
            for (index, body) in bodies.enumerated() {
                try await producer.enqueue(body, at: UTCTime(microseconds: start.microseconds + Int64(index)))
            }
            try await producer.flush()
            await producer.close()
            try await withReader(of: broker, "first", "shop.#") { reader in
                let messages = try await reader.read(bodies.count, committing: true)
                #expect(messages.map { Array($0.body) } == bodies)
                #expect(messages.map(\.time.microseconds) == bodies.indices.map { start.microseconds + Int64($0) })
                #expect(messages.allSatisfy { $0.key.description == "SHOP.SALES" })
                #expect(try await reader.next().isEmpty)
            }
            // What was committed does not come again.
            try await withReader(of: broker, "first", "shop.#") { reader in
                let rest = try await reader.next()
                #expect(rest.isEmpty)
            }
        }
    }

    private func longMessages(_ server: RabbitMQServer) async throws {
        var options = RabbitMQOptions()
        options.prefetchBytes = 10_000
        try await withRabbitMQBroker(server, options: options) { broker in
            try await broker.subscribe(.standard, to: RoutingPattern("long"))
            let producer = try Producer(routingKey: "long", brokers: [broker])
            var sent: [String] = []
            for number in 0..<120 {
                // Every tenth is longer than all that may be held, and the last ones are short.
                let count = number >= 60 ? 0 : number % 10 == 0 ? 12_000 : 3_000
                sent.append("\(number) " + String(repeating: "x", count: count))
                try await producer.send(sent[number])
            }
            await producer.close()
            try await withReader(of: broker, "default", "long") { reader in
                var messages: [Message] = []
                let deadline = ContinuousClock.now + .seconds(60)
                while messages.count < sent.count, .now < deadline {
                    var held: [Message] = []
                    while case let some = try await reader.next(), !some.isEmpty { held += some }
                    let bytes = held.reduce(0) { $0 + $1.body.count }
                    #expect(held.count <= 1 || bytes <= options.prefetchBytes)
                    if let last = held.last { try await reader.commit(through: last) }
                    messages += held
                }
                #expect(messages.map(\.text) == sent)
            }
        }
    }

    private func commitsDecide(_ server: RabbitMQServer) async throws {
        try await withRabbitMQBroker(server) { broker in
            try await broker.subscribe(.standard, to: RoutingPattern("again.*"))
            let a = try Producer(routingKey: "again.a", brokers: [broker])
            let b = try Producer(routingKey: "again.b", brokers: [broker])
            for number in 0..<10 {
                try await a.send("a\(number)")
                try await b.send("b\(number)")
            }
            await a.close()
            await b.close()
            var left: [String] = []
            try await withReader(of: broker, "default", "again.*") { reader in
                let messages = try await reader.read(20)
                // Its own key only, and what came before it.
                let fifth = try #require(messages.first { $0.text == "a4" })
                try await reader.commit(through: fifth)
                left = messages.map(\.text).filter { !["a0", "a1", "a2", "a3", "a4"].contains($0) }
                try await reader.rewind()
                #expect(try await reader.read(15).map(\.text) == left)
            }
            // The reader is gone: RabbitMQ hands out again what was not committed.
            try await withReader(of: broker, "default", "again.*") { reader in
                let messages = try await reader.read(15)
                #expect(messages.map(\.text) == left)
                for message in messages { try await reader.commit(through: message) }
            }
        }
    }

    private func namesAndPatterns(_ server: RabbitMQServer) async throws {
        try await withRabbitMQBroker(server) { broker in
            for (name, pattern) in [("one", "p.*.x"), ("two", "p.#"), ("three", "p.q.x")] {
                try await broker.subscribe(ConsumerName(name), to: RoutingPattern(pattern))
            }
            for key in ["p", "p.q.x", "p.r.x", "p.q.y"] {
                let producer = try Producer(routingKey: key, brokers: [broker])
                try await producer.send(key)
                await producer.close()
            }
            for (name, pattern, expected) in [
                ("one", "p.*.x", ["p.q.x", "p.r.x"]), ("two", "p.#", ["p", "p.q.x", "p.r.x", "p.q.y"]),
                ("three", "p.q.x", ["p.q.x"]),
            ] {
                try await withReader(of: broker, name, pattern) { reader in
                    let messages = try await reader.read(expected.count)
                    #expect(messages.map(\.text) == expected)
                }
            }
        }
    }

    private func oneOfAName(_ server: RabbitMQServer) async throws {
        try await withRabbitMQBroker(server) { broker in
            try await withRabbitMQBroker(server) { other in
                try await broker.subscribe(ConsumerName("turns"), to: RoutingPattern("turns"))
                let producer = try Producer(routingKey: "turns", brokers: [broker])
                for number in 0..<20 { try await producer.send("\(number)") }
                let waiting = try await other.makeReader(
                    of: RoutingPattern("turns"), for: ConsumerName("turns"), options: ReaderOptions())
                let next = try await withReader(of: broker, "turns", "turns") { reader in
                    let messages = try await reader.read(20)
                    #expect(try await reader.takeLease())
                    #expect(try await !waiting.takeLease())
                    // None is ready, since the other reader has them all; that is not the end.
                    let next = Task { try await waiting.next() }
                    try await reader.commit(through: messages[9])
                    return next
                }
                var rest = try await next.value
                #expect(!rest.isEmpty)
                rest += try await waiting.read(10 - rest.count)
                #expect(rest.map(\.text) == (10..<20).map(String.init))
                await waiting.close()
                await producer.close()
            }
        }
    }

    private func withoutQueue(_ server: RabbitMQServer) async throws {
        try await withRabbitMQBroker(server) { broker in
            let producer = try Producer(routingKey: "nobody.listens", brokers: [broker])
            let error = await messageLogError { try await producer.send("lost") }
            #expect(error?.code == .notFound)
            #expect(error?.message.contains("NOBODY.LISTENS") == true && error?.message.contains("NO_ROUTE") == true)
            try await broker.subscribe(.standard, to: RoutingPattern("nobody.#"))
            #expect(try await producer.send("kept").isStored)
            await producer.close()
        }
        try await withRabbitMQBroker(server, options: RabbitMQOptions(allowsUnroutable: true)) { broker in
            let producer = try Producer(routingKey: "really.nobody", brokers: [broker])
            #expect(try await producer.send("dropped").isStored)
            await producer.close()
        }
    }

    private func fullQueue(_ server: RabbitMQServer) async throws {
        try await withRabbitMQBroker(server) { broker in
            try await server.evaluate(
                #"""
                ok = rabbit_policy:set(<<"/">>, <<"narrow">>, <<"^muskrat\\.default\\.FULL$">>,
                    [{<<"max-length">>, 3}, {<<"overflow">>, <<"reject-publish">>}], 0, <<"queues">>, <<"test">>)
                """#)
            try await broker.subscribe(.standard, to: RoutingPattern("full"))
            let patient = try Producer(routingKey: "full", brokers: [broker])
            for number in 0..<3 { try await patient.send("\(number)") }
            let options = ProducerOptions(patience: .seconds(2))
            let producer = try Producer(routingKey: "full", brokers: [broker], options: options)
            #expect(await messageLogError { try await producer.send("3") }?.code == .full)
            // With patience it goes when there is room.
            async let fourth = patient.send("4")
            try await withReader(of: broker, "default", "full") { reader in
                let messages = try await reader.read(3)
                try await reader.commit(through: messages[2])
                #expect(try await reader.read(1).map(\.text) == ["4"])
            }
            _ = try await fourth
            await producer.close()
            await patient.close()
        }
    }

    private func refusals(_ server: RabbitMQServer) async throws {
        try await withRabbitMQBroker(server) { broker in
            let options = [
                ReaderOptions(start: .end), ReaderOptions(start: .sequence(1)), ReaderOptions(start: .time(.now)),
                ReaderOptions(ignoresCursor: true), ReaderOptions(cursor: "c"),
            ]
            for options in options {
                let error = await messageLogError {
                    _ = try await broker.makeReader(of: RoutingPattern("a"), for: .standard, options: options)
                }
                #expect(error?.code == .unsupported)
                #expect(error?.message.contains("RabbitMQ") == true)
            }
            let keys = await messageLogError { _ = try await broker.keys(matching: RoutingPattern("#")) }
            #expect(keys?.code == .unsupported)
            let long = String(repeating: "a.", count: 120) + "a"
            let queue = await messageLogError {
                try await broker.subscribe(ConsumerName(String(repeating: "n", count: 100)), to: RoutingPattern(long))
            }
            #expect(queue?.code == .invalidArgument)
            try await withConnection(to: server.port) { connection in
                _ = try await connection.declare(Queue("muskrat.default.OTHER"))
            }
            let other = await messageLogError { try await broker.subscribe(.standard, to: RoutingPattern("other")) }
            #expect(other?.message.contains("muskrat.default.OTHER") == true)
            #expect("\(other as Any)".contains("406"))
        }
    }

    private func logins(_ server: RabbitMQServer) async throws {
        try await withRabbitMQBroker(server, user: "guest:a-secret-word") { broker in
            #expect(broker.description == "amqp://guest@127.0.0.1:\(server.port)/%2F?exchange=muskrat")
            let producer = try Producer(routingKey: "a", brokers: [broker])
            let error = await messageLogError { try await producer.send("x") }
            #expect(error?.code == .denied)
            #expect(!"\(error as Any)".contains("a-secret-word"))
            var dumped = ""
            dump(broker, to: &dumped)
            #expect(!dumped.contains("a-secret-word"))
            await producer.close()
        }
    }

    private func passwordFile(_ server: RabbitMQServer) async throws {
        try await server.evaluate(
            #"""
            ok = rabbit_auth_backend_internal:add_user(<<"logs">>, <<"p@ss:w/r%d ?#">>, <<"test">>),
            ok = rabbit_auth_backend_internal:set_permissions(
                <<"logs">>, <<"/">>, <<".*">>, <<".*">>, <<".*">>, <<"test">>)
            """#)
        try await withTemporaryFolder { folder in
            try writeText("p@ss:w/r%d ?#\n", to: "\(folder)/right")
            try writeText("p@ss", to: "\(folder)/wrong")
            for (name, isRight) in [("right", true), ("wrong", false)] {
                let url = try BrokerURL(
                    "amqp://logs@127.0.0.1:\(server.port)?allow_unroutable=true&heartbeat=5&password_file=\(folder)/\(name)"
                )
                let broker = try url.open(BrokerOpening(logger: quietLogger))
                let producer = try Producer(routingKey: "a", brokers: [broker])
                let error = await messageLogError { try await producer.send("x") }
                #expect(error?.code == (isRight ? nil : .denied))
                await producer.close()
                await broker.close()
            }
        }
    }

    private func deletedExchange(_ server: RabbitMQServer) async throws {
        try await withRabbitMQBroker(server, options: RabbitMQOptions(exchange: "fleeting")) { broker in
            try await broker.subscribe(.standard, to: RoutingPattern("a"))
            let producer = try Producer(routingKey: "a", brokers: [broker])
            try await producer.send("1")
            try await withConnection(to: server.port) { connection in
                try await connection.deleteExchange("fleeting")
            }
            #expect(await messageLogError { try await producer.send("2") }?.code == .notFound)
            // Exchange, queue and binding are made again.
            #expect(try await producer.send("3").isStored)
            await producer.close()
        }
    }
}
