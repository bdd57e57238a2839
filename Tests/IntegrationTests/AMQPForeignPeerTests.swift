import AMQP
import TestServers
import Testing

@Suite(.timeLimit(.minutes(2))) struct AMQPForeignPeerTests {
    @Test("Python's pika and this module understand each other, headers and bytes included")
    func pika() async throws {
        let packages = try PythonPackages.environment()
        try await withRabbitMQ { server in
            try await withConnection(to: server.port) { connection in
                try await connection.declare(Exchange("foreign", kind: .fanout))
                try await connection.declare(Queue("to-us", isExclusive: true))
                try await connection.declare(Queue("to-them"))
                try await connection.bind(Binding(exchange: "foreign", queue: "to-us"))
                let consumer = try await connection.consume(from: "to-us")
                let publisher = try connection.makePublisher()
                let properties = MessageProperties(
                    contentType: "text/plain", headers: ["n": 42, "s": "grün", "t": .table(["deep": true])],
                    messageID: "from-swift")
                let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
                try await publisher.publish(
                    body, to: Route(exchange: "", routingKey: "to-them", properties: properties, isMandatory: true))
                try await withTemporaryFolder { folder in
                    try writeText(script, to: "\(folder)/peer.py")
                    let (code, output) = try await run(
                        "python3", ["\(folder)/peer.py", "\(server.port)"], environment: packages)
                    try #require(code == 0, "\(output)")
                }
                var iterator = consumer.makeAsyncIterator()
                let delivery = try #require(try await iterator.next())
                #expect(delivery.body == body)
                #expect(delivery.properties.messageID == "from-pika")
                #expect(delivery.properties.isPersistent)
                #expect(delivery.properties.headers["list"] == .array([1, "two", .void, true]))
                #expect(delivery.properties.headers["big"] == .integer(1 << 40))
                #expect(delivery.properties.headers["bytes"] == .bytes([0, 255]))
                #expect(delivery.properties.headers["table"] == .table(["deep": 7]))
                delivery.acknowledge()
            }
        }
    }

    private let script = """
        import sys, pika

        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(sys.argv[1])))
        channel = connection.channel()
        method, properties, body = channel.basic_get("to-them", auto_ack=True)
        assert body == bytes(n & 255 for n in range(100000)), len(body)
        assert properties.content_type == "text/plain" and properties.message_id == "from-swift", properties
        headers = dict(properties.headers)
        assert headers.pop("x-publish-sequence") == 1, headers
        assert headers == {"n": 42, "s": "grün", "t": {"deep": True}}, headers
        channel.confirm_delivery()
        channel.basic_publish("foreign", "", body, pika.BasicProperties(
            message_id="from-pika", delivery_mode=2, headers={
                "list": [1, "two", None, True], "big": 1 << 40, "bytes": bytes([0, 255]), "table": {"deep": 7}}))
        connection.close()
        """
}
