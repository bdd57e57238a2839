import AMQP
import TestServers
import Testing

/// Brokers and networks that turn bad.
@Suite(.timeLimit(.minutes(3)), .serialized) struct AMQPFaultTests {
    @Test("a broker killed and started again in mid-stream has every confirmed message, and all that was declared")
    func kill() async throws {
        try await withRabbitMQ { server in
            let topology = Topology(
                exchanges: [try Exchange("stream", kind: .fanout, isDurable: true)],
                queues: [try Queue("stream", isDurable: true)],
                bindings: [try Binding(exchange: "stream", queue: "stream")])
            try await withConnection(to: server.port, options: quickOptions(topology: topology)) { connection in
                // Declared while it works, and gone with the broker: it has to come back too.
                let viewer = Queue.uniqueName(prefix: "viewer_")
                try await connection.declare(Queue(viewer, isExclusive: true, isAutoDelete: true))
                try await connection.bind(Binding(exchange: "stream", queue: viewer))
                let live = NumberSink(
                    try await connection.consume(from: viewer, options: ConsumerOptions(acknowledgement: .onNext)),
                    acknowledging: false)
                let durable = NumberSink(
                    try await connection.consume(from: "stream", options: ConsumerOptions(prefetch: 500)),
                    acknowledging: true)
                // It goes on until the broker is gone, however fast both are.
                let source = NumberSource(
                    route: try Route(exchange: "stream", properties: MessageProperties(isPersistent: true)),
                    limit: .max, size: 200)
                let publisher = try connection.makePublisher(for: source, window: 1_000)
                publisher.wake()
                // A task that waits while the broker is away is served when it is back.
                try await eventually(within: .seconds(30), "a first part") { source.confirmedCount > 5_000 }
                await server.kill()
                let total = source.end(after: 10_000)
                let patient = try connection.makePublisher()
                async let late: Void = patient.publish(
                    Array("0".utf8), to: Route(exchange: "stream", properties: MessageProperties(isPersistent: true)))
                try await eventually("the loss is seen") { !connection.state.isUp }
                #expect(source.confirmedCount < total)
                try await server.start()
                try await eventually(within: .seconds(60), "all are confirmed") { source.confirmedCount == total }
                try await late
                try await eventually(within: .seconds(60), "all have arrived") {
                    Set(durable.all).count == total + 1
                }
                // What was published after the restart comes to the viewer's new queue.
                try await eventually("the viewer sees it") { Set(live.all).isSuperset(of: [0, total]) }
            }
        }
    }

    @Test("a broker that is stopped says so with code and text, and all comes back when it is started")
    func stopApplication() async throws {
        try await withRabbitMQ { server in
            try await withConnection(to: server.port) { connection in
                let failure = firstFailure(of: connection)
                try await connection.declare(Queue("back", isExclusive: true, isAutoDelete: true))
                let consumer = try await connection.consume(from: "back")
                let publisher = try connection.makePublisher()
                try await server.stopApplication()
                let error = try #require(await failure.value)
                #expect(error.code == .closedByBroker)
                #expect(error.replyCode == 320)
                #expect(error.replyText?.contains("CONNECTION_FORCED") == true)
                try await server.startApplication()
                try await connection.waitUntilReady(within: .seconds(30))
                try await publisher.publish([7], to: Route(exchange: "", routingKey: "back"))
                var iterator = consumer.makeAsyncIterator()
                let delivery = try #require(try await iterator.next())
                #expect(delivery.body == [7])
                delivery.acknowledge()
            }
        }
    }

    @Test("a memory alarm blocks publishers visibly, holds nothing else up, and its end lets them go on")
    func memoryAlarm() async throws {
        try await withRabbitMQ { server in
            try await withConnection(to: server.port) { connection in
                try await connection.declare(Queue("alarm", isExclusive: true))
                let consumer = try await connection.consume(
                    from: "alarm", options: ConsumerOptions(acknowledgement: .onNext))
                let sink = NumberSink(consumer, acknowledging: false)
                try await server.raiseMemoryAlarm()
                // Messages larger than all buffers between: the thread must not get stuck in a write.
                let total = 300
                let source = NumberSource(
                    route: try Route(exchange: "", routingKey: "alarm"), limit: total, size: 100_000)
                let publisher = try connection.makePublisher(for: source, window: total)
                publisher.wake()
                try await eventually("the broker blocks") {
                    if case .blocked(let reason) = connection.state { reason.contains("memory") } else { false }
                }
                let asked = source.asked
                #expect(source.confirmedCount < total)
                // It waits for the broker and not by asking again and again.
                for _ in 0..<10 { publisher.wake() }
                try await connection.waitUntilReady(within: .seconds(10))
                #expect(source.asked == asked)
                try await server.endMemoryAlarm()
                try await eventually(within: .seconds(30), "all are confirmed") { source.confirmedCount == total }
                try await eventually("all have arrived") { sink.all.count == total }
                guard case .connected = connection.state else {
                    Issue.record("still \(connection.state)")
                    return
                }
            }
        }
    }

    @Test("closing works while the broker blocks, and reports what was not confirmed")
    func closeWhileBlocked() async throws {
        try await withRabbitMQ { server in
            let connection = try Connection(
                to: BrokerURI("amqp://127.0.0.1:\(server.port)"), options: quickOptions(), logger: quietLogger)
            try await connection.waitUntilReady(within: .seconds(30))
            try await server.raiseMemoryAlarm()
            let publisher = try connection.makePublisher()
            let publish = { @Sendable in
                await amqpError { try await publisher.publish([1], to: Route(exchange: "amq.fanout")) }
            }
            let waiting = Task { await publish() }
            try await eventually("the broker blocks") { if case .blocked = connection.state { true } else { false } }
            let late = Task { await publish() }
            let given = Task { await publish() }
            given.cancel()
            #expect(await given.value?.code == .cancelled)
            await connection.close()
            #expect(await waiting.value?.code == .closed)
            #expect(await late.value?.code == .closed)
            #expect(await publish()?.code == .closed)
        }
    }

    @Test("a connection that went silent is noticed by its heartbeats and made again")
    func halfOpen() async throws {
        try await withRabbitMQ { server in
            let relay = try TCPRelay(to: server.port)
            defer { relay.close() }
            let options = quickOptions(heartbeat: .seconds(1))
            try await withConnection(to: relay.port, options: options) { connection in
                try await connection.declare(Queue("silent", isExclusive: true))
                let consumer = try await connection.consume(from: "silent")
                var states = connection.states.makeAsyncIterator()
                _ = await states.next()
                relay.become(.blackHole)
                guard case .waiting(let error, _)? = await states.next() else {
                    Issue.record("no failure")
                    return
                }
                #expect(error.code == .connectionLost)
                #expect(error.message.contains("heartbeat"))
                relay.become(.forward)
                // The broker may hold the exclusive queue for the dead connection until its own heartbeats fail.
                try await connection.waitUntilReady(within: .seconds(30))
                let publisher = try connection.makePublisher()
                // A machine that stands still for two seconds looks like one that went silent.
                try await eventually("a message to be taken") {
                    try await publisher.publish([9], to: Route(exchange: "", routingKey: "silent"))
                    return true
                }
                var iterator = consumer.makeAsyncIterator()
                #expect(try await iterator.next()?.body == [9])
            }
        }
    }

    @Test("closing works while the connection is being lost")
    func closeWhileLost() async throws {
        try await withRabbitMQ { server in
            for round in 0..<20 {
                let relay = try TCPRelay(to: server.port)
                defer { relay.close() }
                let connection = try Connection(
                    to: BrokerURI("amqp://127.0.0.1:\(relay.port)"), options: quickOptions(), logger: quietLogger)
                try await connection.waitUntilReady(within: .seconds(30))
                let publisher = try connection.makePublisher()
                // Not the queue of the round before, which the broker may be about to delete.
                let name = "lost\(round)"
                try await connection.declare(Queue(name, isAutoDelete: true))
                let consumer = try await connection.consume(from: name)
                try await publisher.publish([1], to: Route(exchange: "", routingKey: name))
                relay.become(.reset)
                // To tell the broker of it fails, and what was asked for behind it has to be done all the same.
                consumer.cancel()
                await connection.close()
                #expect(await amqpError { try await publisher.publish([1], to: Route(exchange: "")) }?.code == .closed)
                for try await _ in consumer {}
            }
        }
    }

    @Test("a port that speaks something else, or nothing, is a clear error")
    func notABroker() async throws {
        let mute = try TCPRelay(to: 1, behaviour: .blackHole)
        defer { mute.close() }
        var options = quickOptions()
        options.connectTimeout = .milliseconds(300)
        let silent = await amqpError { try await connectOnce(to: mute.port, options) }
        #expect(silent?.code == .timedOut)
        #expect(silent?.description.contains("is that an AMQP port?") == true, "\(String(describing: silent))")
    }

    private func connectOnce(to port: Int, _ options: ConnectionOptions) async throws {
        let connection = try Connection(
            to: BrokerURI("amqp://127.0.0.1:\(port)"), options: options, logger: quietLogger)
        _ = await firstFailure(of: connection).value
        let error = await amqpError { try await connection.waitUntilReady(within: .milliseconds(1)) }
        await connection.close()
        if let error { throw error }
    }
}
