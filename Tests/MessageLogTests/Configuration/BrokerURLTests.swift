import Logging
import MessageLog
import TestServers
import Testing

@Suite struct BrokerURLTests {
    private let opening = BrokerOpening(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))

    @Test("folders and stores are logs, or the legacy layout where URL or argument say so")
    func layouts() async throws {
        try await withTemporaryFolder { folder in
            var legacy = opening
            legacy.layout = .legacy
            #expect(try BrokerURL("file://\(folder)").open(opening) is LogBroker)
            #expect(try BrokerURL("file://\(folder)").open(legacy) is LegacyBroker)
            #expect(try BrokerURL("file://\(folder)?layout=legacy").open(opening) is LegacyBroker)
            #expect(try BrokerURL("file://\(folder)?layout=log").open(legacy) is LogBroker)
            let bucket = try BrokerURL(
                "s3://bucket/some/prefix?endpoint=http://127.0.0.1:1&path-style=true&region=eu-west-1&layout=log"
            ).open(opening)
            #expect(bucket is LogBroker)
            await bucket.close()
        }
    }

    @Test("RabbitMQ's URL has the exchange and more, and shows no password")
    func rabbitMQ() async throws {
        let url = try BrokerURL(
            "amqp://logs:a-secret@127.0.0.1:1/fleet?exchange=events&prefetch=7&allow_unroutable=true&heartbeat=5")
        #expect(url.description == "amqp://logs@127.0.0.1:1/fleet?exchange=events")
        var dumped = ""
        dump(url, to: &dumped)
        #expect(!dumped.contains("a-secret"))
        let broker = try #require(try url.open(opening) as? RabbitMQBroker)
        #expect(broker.options == RabbitMQOptions(exchange: "events", allowsUnroutable: true, prefetch: 7))
        #expect(!"\(broker)".contains("a-secret"))
        await broker.close()
    }

    @Test(
        "what cannot be used is refused, names what is wrong, and shows no password",
        arguments: [
            ("file:///tmp?layout=other", "layout"), ("file:///tmp?colour=red", "colour"), ("file://tmp", "file:///"),
            ("s3://bucket?flavour=1", "flavour"), ("ftp://host/", "ftp"), ("nonsense", "nonsense"),
            ("memory:", "memory"), ("ftp://u:a-secret@h", "ftp"), ("", "amqp:"),
            ("amqp://u:a-secret@h?layout=log", "layout"), ("amqp://u:a-secret@h?speed=9", "speed"),
            ("amqp://u:a-secret@h?prefetch=0", "prefetch"), ("amqp://u:a-secret@h?prefetch=x", "prefetch"),
            ("amqp://u:a-secret@h?allow_unroutable=maybe", "allow_unroutable"),
            ("amqp://u:a-secret@h?exchange=", "exchange"), ("amqp://u:a-secret@h?exchange=%zz", "exchange"),
            ("amqp://u:a-secret@h?password_file=/x", "password_file"), ("amqp://u:a-secret@h:port", "port"),
        ])
    func refused(text: String, reason: String) {
        let error = #expect(throws: MessageLogError.self) { try BrokerURL(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains(reason) == true, "\(error as Any)")
        #expect(error?.description.contains("a-secret") == false)
    }

    @Test("a password file that is missing or empty is named")
    func passwordFiles() async throws {
        try await withTemporaryFolder { folder in
            try writeText("\n", to: "\(folder)/empty")
            for name in ["missing", "empty"] {
                let url = try BrokerURL("amqp://u@127.0.0.1:1?password_file=\(folder)/\(name)")
                let error = #expect(throws: MessageLogError.self) { try url.open(opening) }
                #expect(error?.code == .denied)
                #expect(error?.description.contains("\(folder)/\(name)") == true)
            }
        }
    }
}
