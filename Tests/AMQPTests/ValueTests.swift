import Testing

@testable import AMQP

struct ValueTests {
    @Test("pauses double up to the maximum and are shortened by up to a half")
    func backoff() {
        var backoff = Backoff(minimum: .milliseconds(100), maximum: .milliseconds(500))
        #expect((0..<4).map { _ in backoff.next(chance: 0) } == [100, 200, 400, 500].map { .milliseconds($0) })
        #expect(backoff.next(chance: 1) == .milliseconds(250))
        backoff.reset()
        #expect(backoff.next(chance: 0) == .milliseconds(100))
    }

    @Test("what AMQP cannot carry is refused before it is sent")
    func limits() {
        let long = String(repeating: "n", count: 256)
        let attempts: [() throws -> Void] = [
            { _ = try Queue("") }, { _ = try Queue(long) }, { _ = try Exchange("", kind: .fanout) },
            { _ = try Queue("q", arguments: ["": 1]) },
            { _ = try Queue("q", arguments: [String(repeating: "k", count: 129): 1]) },
            { _ = try Queue("q", arguments: ["k": .string(String(repeating: "v", count: 17_000))]) },
            { _ = try Binding(exchange: "e", queue: "q", routingKey: long) }, { _ = try Route(exchange: long) },
            { _ = try Route(exchange: "", properties: MessageProperties(type: long)) },
            {
                var value = FieldValue.void
                for _ in 0..<20 { value = .array([value]) }
                _ = try Queue("q", arguments: ["deep": value])
            },
            { try ConnectionOptions(heartbeat: .milliseconds(500)).check() },
            { try ConnectionOptions(minimumPause: .seconds(2), maximumPause: .seconds(1)).check() },
            { try ConsumerOptions(prefetch: 0).check() }, { try ConsumerOptions(prefetch: 65_536).check() },
        ]
        for attempt in attempts {
            let error = #expect(throws: AMQPError.self) { try attempt() }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test("unique names are a prefix and a random UUID")
    func uniqueNames() throws {
        let names = Set((0..<100).map { _ in Queue.uniqueName(prefix: "logger_") })
        #expect(names.count == 100)
        for name in names {
            let form = /logger_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
            #expect(name.wholeMatch(of: form) != nil)
        }
    }

    @Test("a topology has what was declared, in an order that works, and not what was deleted")
    func topology() throws {
        var topology = Topology()
        let binding = try Binding(exchange: "e", queue: "q")
        topology.record(.bind(binding))
        topology.record(.bind(binding))
        topology.record(.declareQueue(try Queue("q")))
        topology.record(.declareExchange(try Exchange("e", kind: .fanout)))
        #expect(
            topology.operations == [
                .declareExchange(try Exchange("e", kind: .fanout)), .declareQueue(try Queue("q")), .bind(binding),
            ])
        topology.record(.deleteQueue("q"))
        #expect(topology.operations == [.declareExchange(try Exchange("e", kind: .fanout))])
    }

    @Test("time for poll is never shorter than asked for")
    func milliseconds() {
        #expect(Duration.nanoseconds(1).roundedUpMilliseconds == 1)
        #expect(Duration.milliseconds(7).roundedUpMilliseconds == 7)
        #expect(Duration.seconds(-1).roundedUpMilliseconds == 0)
        #expect(Duration.seconds(10_000_000).roundedUpMilliseconds == .max)
    }
}
