import CivilTime
import Testing

@testable import MessageLog

@Suite struct AggregateConsumerTests {
    private let broker = ScriptedBroker()
    private let clock = ScriptedClock()
    private let notebook = Notebook()

    private func consumer(
        count: Int = 1000, bytes: Int = 1 << 20, options: ConsumerOptions = ConsumerOptions(),
        _ handler: (@Sendable ([Message]) throws -> Void)? = nil
    ) -> AggregateConsumer {
        let note: @Sendable ([Message]) throws -> Void = { [notebook] messages in
            notebook.note(messages.map(\.text).joined(separator: " "))
        }
        let handler = handler ?? note
        return AggregateConsumer(
            Subscription(
                "A.B", name: "default", at: .broker(broker), options: options, logger: .quiet,
                clock: clock.consumerClock),
            handler: .lists(ListLimits(count: count, bytes: bytes)) { try handler($0) })
    }

    @Test("a list has all that there is, however a broker gives it")
    func all() async throws {
        try broker.send("A.B", (1...10).map { "\($0)" })
        #expect(try await consumer().consume().handled == 10)
        #expect(notebook.all == ["1 2 3 4 5 6 7 8 9 10"])
        #expect(broker.events == ["commit A.B 10"])
    }

    @Test("a list has as many messages as it may at most, and the last one what is left")
    func count() async throws {
        try broker.send("A.B", (1...10).map { "\($0)" })
        try await consumer(count: 3).consume()
        #expect(notebook.all == ["1 2 3", "4 5 6", "7 8 9", "10"])
    }

    @Test("a list has as many bytes as it may at most, or a message alone that has more")
    func bytes() async throws {
        try broker.send("A.B", ["aaa", "bbb", "c", "ddddddddddd", "e", "f"])
        try await consumer(bytes: 7).consume()
        #expect(notebook.all == ["aaa bbb c", "ddddddddddd", "e f"])
    }

    @Test("a list that fails is handled again as a whole, and then put aside as a whole")
    func fails() async throws {
        try broker.send("A.B", (1...6).map { "\($0)" })
        let options = try ConsumerOptions(
            retry: HandlerRetry(attempts: 2), deadLetters: DeadLetters(RoutingKey("Dead")))
        let counts = try await consumer(count: 3, options: options) { [notebook] messages in
            notebook.note(messages.map(\.text).joined(separator: " "))
            if messages.contains(where: { $0.text == "2" }) { throw HandlerFault() }
        }.consume()
        #expect(notebook.all == ["1 2 3", "1 2 3", "4 5 6"])
        #expect(counts == ConsumerCounts(handled: 3, retries: 1, parked: 3))
        #expect(
            try broker.bodies("Dead").map { DeadLetter(Array($0.utf8))?.message.text } == ["1", "2", "3"])
        #expect(broker.events == ["append DEAD 3", "commit A.B 3", "commit A.B 6"])
    }

    @Test("a list of nothing is refused")
    func refuses() async throws {
        await #expect { try await consumer(count: 0).consume() } throws: { code($0) == .invalidArgument }
        await #expect { try await consumer(bytes: 0).consume() } throws: { code($0) == .invalidArgument }
    }

    @Test("calling it runs the handler with a list")
    func calls() async throws {
        let message = try Message(
            key: RoutingKey("C"), body: ArraySlice("called".utf8), time: .now, position: .sequence(1))
        try await consumer()([message, message])
        #expect(notebook.all == ["called called"])
    }
}
