import AMQP
import CivilTime
import MessageLog
import Synchronization
import SystemPackage
import TestServers
import Testing

/// A RabbitMQ that turns bad, and peers that this project did not write.
@Suite(.timeLimit(.minutes(3)), .serialized) struct MessageLogRabbitMQFaultTests {
    @Test("a broker killed and started again in mid-stream has every message that was confirmed, in order")
    func killed() async throws {
        try await withRabbitMQ { server in
            try await withRabbitMQBroker(server) { broker in
                try await broker.subscribe(.standard, to: RoutingPattern("stream"))
                // It goes on until the broker is gone, however fast both are.
                let limit = Atomic(Int.max)
                let total = Atomic(Int.max)
                var options = ProducerOptions(
                    batching: .init(interval: .milliseconds(10), bytes: 64 << 10, count: 500), patience: .seconds(90))
                options.bufferBytes = 256 << 10
                let producer = try ConcurrentProducer(routingKey: "stream", brokers: [broker], options: options)
                let sending = Task {
                    var number = 0
                    while number < limit.load(ordering: .relaxed) {
                        try await producer.enqueue("\(number)")
                        number += 1
                    }
                    try await producer.flush()
                    return number
                }
                // The last number that came with no gap before it; what comes again is older.
                let reading = Task {
                    try await withReader(of: broker, "default", "stream") { reader in
                        var next = 0
                        var repeated = 0
                        while next < total.load(ordering: .relaxed) {
                            do throws(MessageLogError) {
                                for message in try await reader.next() {
                                    let number = Int(message.text) ?? -1
                                    guard number <= next else {
                                        throw MessageLogError(.corrupt, "\(number) before \(next)")
                                    }
                                    if number == next { next += 1 } else { repeated += 1 }
                                    try await reader.commit(through: message)
                                }
                                try await reader.waitForMore(atMost: .milliseconds(100))
                            } catch {
                                guard error.isRetriable else { throw error }
                            }
                        }
                        return repeated
                    }
                }
                try await eventually(within: .seconds(30), "a first part") {
                    await producer.counts[0].stored > 3_000
                }
                await server.kill()
                // More than waits in the producer now.
                limit.store(Int(await producer.counts[0].stored) + 20_000, ordering: .relaxed)
                try await server.start()
                let sent = try await sending.value
                total.store(sent, ordering: .relaxed)
                _ = try await reading.value
                let counts = await producer.counts[0]
                #expect(counts.stored == UInt64(sent) && counts.refused == 0)
                await producer.close()
            }
        }
    }

    @Test("messages for a broker that is away wait in the spool, and reach it in order when it is back")
    func spooled() async throws {
        try await withTemporaryFolder { folder in
            try await withRabbitMQ { server in
                try await withRabbitMQBroker(server) { broker in
                    try await broker.subscribe(.standard, to: RoutingPattern("spooled"))
                    let options = ProducerOptions(
                        patience: .milliseconds(200), pauses: .milliseconds(20) ... .milliseconds(200),
                        spooling: .always,
                        spoolFolder: FilePath(folder))
                    let producer = try Producer(routingKey: "spooled", brokers: [broker], options: options)
                    #expect(try await producer.send("0").isComplete)
                    #expect(await producer.catchUp(within: .seconds(30)))
                    await server.kill()
                    for number in 1..<50 { #expect(try await producer.send("\(number)").isComplete) }
                    await producer.close()
                    try await server.start()
                    let next = try Producer(routingKey: "spooled", brokers: [broker], options: options)
                    #expect(try await next.send("50").isComplete)
                    #expect(await next.catchUp(within: .seconds(30)))
                    await next.close()
                    try await withReader(of: broker, "default", "spooled") { reader in
                        // What was confirmed too late for the producer's patience may be there twice.
                        var numbers: [Int] = []
                        while numbers.count < 51 {
                            for message in try await reader.read(1) {
                                let number = Int(message.text) ?? -1
                                if !numbers.contains(number) { numbers.append(number) }
                            }
                        }
                        #expect(numbers == Array(0...50))
                    }
                }
            }
        }
    }

    @Test("Python's pika reads what is sent, and is read, with times of its own or none")
    func pika() async throws {
        let packages = try PythonPackages.environment()
        try await withRabbitMQ { server in
            try await withRabbitMQBroker(server) { broker in
                try await broker.subscribe(ConsumerName("pika"), to: RoutingPattern("from.swift"))
                try await broker.subscribe(ConsumerName("swift"), to: RoutingPattern("from.pika.#"))
                let producer = try Producer(routingKey: "from.swift", brokers: [broker])
                try await producer.send([0, 0xff, 0x0a], at: .init(microseconds: 1_795_224_225_678_901))
                await producer.close()
                try await withTemporaryFolder { folder in
                    try writeText(script, to: "\(folder)/peer.py")
                    let (code, output) = try await run(
                        "python3", ["\(folder)/peer.py", "\(server.port)"], environment: packages)
                    try #require(code == 0, "\(output)")
                }
                try await withReader(of: broker, "swift", "from.pika.#") { reader in
                    let messages = try await reader.read(3)
                    #expect(messages.map(\.text) == ["precise", "seconds", "no time"])
                    #expect(messages[0].time.description == "2026-11-21T01:23:45.000001Z")
                    #expect(messages[1].time.description == "2026-11-21T01:23:45.000000Z")
                    #expect(messages[2].key.description == "FROM.PIKA.LOWER")
                    try await reader.commit(through: messages[2])
                    // What is no routing key went away, and does not come again and again.
                    #expect(try await reader.next().isEmpty)
                }
            }
        }
    }

    private let script = """
        import sys, pika

        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(sys.argv[1])))
        channel = connection.channel()
        method, properties, body = channel.basic_get("muskrat.pika.FROM.SWIFT", auto_ack=True)
        assert body == b"\\x00\\xff\\n", body
        assert method.routing_key == "FROM.SWIFT", method
        assert properties.delivery_mode == 2 and properties.timestamp == 1795224225, properties
        assert properties.headers["x-time-us"] == 1795224225678901, properties
        channel.confirm_delivery()
        def send(key, body, **properties):
            channel.basic_publish("muskrat", key, body, pika.BasicProperties(delivery_mode=2, **properties), mandatory=True)
        send("FROM.PIKA", b"precise", timestamp=1, headers={"x-time-us": 1795224225000001})
        send("FROM.PIKA", b"seconds", timestamp=1795224225)
        send("FROM.PIKA.no key", b"refused")
        send("FROM.PIKA.lower", b"no time")
        connection.close()
        """
}
