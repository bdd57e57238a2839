import AMQP
import TestServers
import Testing

@Suite(.timeLimit(.minutes(2))) struct AMQPTLSTests {
    @Test("TLS with a certificate on either side works, and every wrong one is a clear error")
    func certificates() async throws {
        try await withTemporaryFolder { folder in
            let authority = try await TestAuthority(in: folder, name: "ours")
            let stranger = try await TestAuthority(in: folder, name: "theirs")
            try await withRabbitMQ(authority: authority, asksForCertificate: true) { server in
                func failure(
                    _ host: String, _ port: Int, _ parameters: String, within limit: Duration = .seconds(30)
                ) async -> AMQPError? {
                    await amqpError {
                        let uri = try BrokerURI("amqps://guest:guest@\(host):\(port)?\(parameters)")
                        let connection = try Connection(to: uri, options: quickOptions(), logger: quietLogger)
                        do {
                            try await connection.waitUntilReady(within: limit)
                            try await exchangeMessages(over: connection)
                        } catch {
                            await connection.close()
                            throw error
                        }
                        await connection.close()
                    }
                }
                func identity(_ authority: TestAuthority) -> String {
                    "certfile=\(authority.client.certificate)&keyfile=\(authority.client.key)"
                }
                let trust = "cacertfile=\(authority.certificate)"
                let good = await failure("localhost", server.tlsPort, "\(trust)&\(identity(authority))")
                #expect(good == nil, "\(String(describing: good))")
                let byAddress = await failure("127.0.0.1", server.tlsPort, "\(trust)&\(identity(authority))")
                #expect(byAddress == nil, "\(String(describing: byAddress))")
                #expect(
                    await failure("127.0.0.1", server.tlsPort, "verify=verify_none&\(identity(authority))") == nil)

                let cases: [(String, AMQPError?, String)] = [
                    (
                        "authority",
                        await failure(
                            "localhost", server.tlsPort,
                            "cacertfile=\(stranger.certificate)&\(identity(authority))"), "trusted authority"
                    ),
                    (
                        "the system's authorities",
                        await failure("localhost", server.tlsPort, identity(authority)), "trusted authority"
                    ),
                    ("none", await failure("localhost", server.tlsPort, trust), "certificate"),
                    (
                        "stranger",
                        await failure("localhost", server.tlsPort, "\(trust)&\(identity(stranger))"), "certificate"
                    ),
                    (
                        "plain port",
                        await failure("localhost", server.port, "\(trust)&\(identity(authority))"), "TLS port"
                    ),
                    // The certificate is for localhost and 127.0.0.1 only. The resolver takes 127.1 for the latter; it is no
                    // address as certificates have them.
                    (
                        "wrong name", await failure("127.1", server.tlsPort, "\(trust)&\(identity(authority))"),
                        "is not for '127.1'"
                    ),
                    (
                        "wrong address",
                        await failure("127.0.0.2", server.tlsPort, "\(trust)&\(identity(authority))"),
                        "is not for '127.0.0.2'"
                    ),
                    (
                        "no file", await failure("localhost", server.tlsPort, "cacertfile=/nonexistent.pem"),
                        "/nonexistent.pem"
                    ),
                    (
                        "no key",
                        await failure(
                            "localhost", server.tlsPort,
                            "\(trust)&certfile=\(authority.client.certificate)&keyfile=\(stranger.client.key)"),
                        "certificate and key"
                    ),
                ]
                for (name, error, text) in cases {
                    #expect(error?.code == .tlsFailed, "\(name): \(String(describing: error))")
                    #expect(error?.message.contains(text) == true, "\(name): \(String(describing: error))")
                }
            }
        }
    }

    private func exchangeMessages(over connection: Connection) async throws {
        try await connection.declare(Queue("tls", isExclusive: true, isAutoDelete: true))
        let consumer = try await connection.consume(from: "tls")
        let publisher = try connection.makePublisher()
        var iterator = consumer.makeAsyncIterator()
        for size in [0, 200, 40_000, 3_000_000] {
            let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            async let confirmed: Void = publisher.publish(body, to: Route(exchange: "", routingKey: "tls"))
            let delivery = try #require(try await iterator.next())
            #expect(delivery.body == body)
            delivery.acknowledge()
            try await confirmed
        }
        let source = NumberSource(route: try Route(exchange: "", routingKey: "tls"), limit: 5_000, size: 200)
        let windowed = try connection.makePublisher(for: source)
        windowed.wake()
        for number in 1...5_000 {
            let delivery = try #require(try await iterator.next())
            #expect(delivery.body.starts(with: Array("\(number)".utf8)))
            delivery.acknowledge()
        }
        try await eventually("all are confirmed") { source.confirmedCount == 5_000 }
    }
}
