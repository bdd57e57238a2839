import TestServers
import Synchronization
import Testing

@testable import MessageLog

@Suite struct MessageSequenceTests {
    private let broker = ScriptedBroker()
    private let clock = ScriptedClock()

    private func sequence(follows: Bool) -> MessageSequence {
        MessageSequence(
            Subscription(
                "A.B", name: "default", at: .broker(broker), options: ConsumerOptions(), logger: .quiet,
                clock: clock.consumerClock),
            interval: follows ? .milliseconds(250) : nil)
    }

    @Test("messages come in order, and the cursor moves where it is told to")
    func commits() async throws {
        try broker.send("A.B", (1...6).map { "\($0)" })
        var bodies: [String] = []
        for try await delivery in sequence(follows: false) {
            bodies.append(delivery.message.text)
            if bodies.count == 5 { try await delivery.commit() }
        }
        #expect(bodies == ["1", "2", "3", "4", "5", "6"])
        #expect(broker.events == ["commit A.B 5"])
        bodies = []
        for try await delivery in sequence(follows: false) { bodies.append(delivery.message.text) }
        #expect(bodies == ["6"])
    }

    @Test("what was read can be committed after the end, and then the lease is given back")
    func commitsLater() async throws {
        try broker.send("A.B", ["1", "2"])
        var last: MessageSequence.Delivery?
        for try await delivery in sequence(follows: false) { last = delivery }
        try await last?.commit()
        #expect(try broker.cursor("A.B") == 2)
        last = nil
        try await eventually("the lease is free") { broker.state.withLock { $0.openReaders } == 0 }
    }

    @Test("a sequence that follows waits for more")
    func follows() async throws {
        let sequence = sequence(follows: true)
        let reading = Task {
            for try await delivery in sequence { return delivery.message.text }
            return "the end"
        }
        try broker.send("A.B", ["1"])
        #expect(try await reading.value == "1")
    }

    @Test("a sequence that follows ends with an error when its task is cancelled")
    func cancelled() async throws {
        let sequence = sequence(follows: true)
        let reading = Task { for try await _ in sequence {} }
        try await eventually("it waits") { broker.state.withLock { !$0.waiters.isEmpty } }
        reading.cancel()
        await #expect { try await reading.value } throws: { code($0) == .cancelled }
    }

    @Test("a message that was read under a lease that has been lost cannot be committed")
    func leaseLost() async throws {
        try broker.send("A.B", ["1"])
        var iterator = sequence(follows: true).makeAsyncIterator()
        let old = try #require(try await iterator.next())
        try broker.takeOver("A.B")
        await #expect { try await old.commit() } throws: { code($0) == .leaseLost }
        try broker.release("A.B")
        let new = try #require(try await iterator.next())
        #expect(new.message.text == "1")
        await #expect { try await old.commit() } throws: { code($0) == .leaseLost }
        try await new.commit()
        #expect(try broker.cursor("A.B") == 1)
    }

    @Test("a broker that cannot be reached is tried again by a sequence that follows, and told by one that does not")
    func unreachable() async throws {
        try broker.send("A.B", ["1"])
        let away = MessageLogError(.unreachable, "away")
        broker.fail(.next, away, away)
        var iterator = sequence(follows: true).makeAsyncIterator()
        #expect(try await iterator.next()?.message.text == "1")
        #expect(clock.pauses.count == 2)
        broker.fail(.makeReader, away)
        await #expect {
            for try await _ in sequence(follows: false) {}
        } throws: { code($0) == .unreachable }
    }

    @Test("a pattern that is none is told with the first message")
    func refuses() async throws {
        await #expect {
            for try await _ in MessageSequence("A..B", broker: broker) {}
        } throws: { code($0) == .invalidArgument }
    }
}
