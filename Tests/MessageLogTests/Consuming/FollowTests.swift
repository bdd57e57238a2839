import TestServers
import Synchronization
import Testing

@testable import MessageLog

@Suite struct FollowTests {
    private let broker = ScriptedBroker()
    private let clock = ScriptedClock()
    private let notebook = Notebook()

    private func consumer(
        _ pattern: String = "A.B", options: ConsumerOptions = ConsumerOptions(), handler: Handler? = nil
    ) -> Consumer {
        Consumer(
            Subscription(
                pattern, name: "default", at: .broker(broker), options: options, logger: .quiet,
                clock: clock.consumerClock),
            handler: handler ?? .each { [notebook] in notebook.note($0.text) })
    }

    /// Follows until the notebook has what is expected, then cancels.
    @discardableResult
    private func follow(
        _ consumer: any MessageConsumer, until expected: [String], meanwhile: () throws -> Void = {}
    ) async throws -> ConsumerCounts {
        let following = Task { try await consumer.follow(interval: .milliseconds(250)) }
        defer { following.cancel() }
        try meanwhile()
        try await eventually("\(expected); there is \(notebook.all)") { notebook.all == expected }
        following.cancel()
        return try await following.value
    }

    @Test("it handles what there is and what comes, and when it is cancelled the cursor is behind that")
    func follows() async throws {
        try broker.send("A.B", ["1", "2"])
        let consumer = consumer()
        let following = Task { try await consumer.follow() }
        try await eventually { notebook.all == ["1", "2"] }
        try broker.send("A.B", ["3"])
        try await eventually { notebook.all == ["1", "2", "3"] }
        following.cancel()
        #expect(try await following.value == ConsumerCounts(handled: 3))
        #expect(try broker.cursor("A.B") == 3)
        #expect(broker.state.withLock { $0.openReaders } == 0)
    }

    @Test("cancelled in the middle of messages, it finishes the one at hand and moves the cursor behind it")
    func cancelled() async throws {
        try broker.send("A.B", ["1", "2", "3", "4"])
        let consumer = consumer(
            handler: .eachAsync { [notebook] message in
                notebook.note(message.text)
                if message.text == "2" { withUnsafeCurrentTask { $0?.cancel() } }
            })
        let counts = try await Task { try await consumer.follow() }.value
        #expect(counts.handled == 2)
        #expect(notebook.all == ["1", "2"])
        #expect(try broker.cursor("A.B") == 2)
    }

    @Test("a handler that gives up because of the cancellation has not failed")
    func handlerCancelled() async throws {
        try broker.send("A.B", ["1", "2"])
        let options = try ConsumerOptions(retry: .never, deadLetters: DeadLetters(RoutingKey("Dead")))
        let consumer = consumer(
            options: options,
            handler: .eachAsync { message in
                guard message.text == "2" else { return }
                withUnsafeCurrentTask { $0?.cancel() }
                try Task.checkCancellation()
            })
        #expect(try await Task { try await consumer.follow() }.value == ConsumerCounts(handled: 1))
        #expect(try broker.cursor("A.B") == 1)
        #expect(try broker.bodies("Dead") == [])
    }

    @Test("consuming to the end cannot be cancelled without being told")
    func consumeCancelled() async throws {
        try broker.send("A.B", ["1", "2"])
        let consumer = consumer(handler: .each { _ in withUnsafeCurrentTask { $0?.cancel() } })
        let consuming = Task { try await consumer.consume() }
        await #expect { try await consuming.value } throws: { code($0) == .cancelled }
        #expect(try broker.cursor("A.B") == 1)
    }

    @Test(
        "a broker that cannot be reached is tried again, and nothing is lost or repeated",
        arguments: [ScriptedBroker.Call.makeReader, .next, .wait, .commit])
    func unreachable(call: ScriptedBroker.Call) async throws {
        try broker.send("A.B", ["1", "2"])
        let away = MessageLogError(.unreachable, "away")
        broker.fail(call, away, away, away)
        let consumer = consumer()
        let following = Task { try await consumer.follow() }
        defer { following.cancel() }
        try await eventually("three pauses, and the end") {
            try clock.pauses.count == 3 && broker.cursor("A.B") == 2
        }
        #expect(notebook.all == ["1", "2"])
    }

    @Test("what cannot be put right by waiting ends it")
    func denied() async throws {
        broker.fail(.next, MessageLogError(.denied, "no"))
        await #expect { try await consumer().follow() } throws: { code($0) == .denied }
    }

    @Test("a lease that was lost is taken again, and what was not committed comes again")
    func leaseLost() async throws {
        try broker.send("A.B", ["1", "2", "3"])
        let broker = broker
        let consumer = consumer(
            handler: .each { [notebook] message in
                if message.text == "2", notebook.all.count == 1 {
                    try broker.takeOver("A.B")
                    try broker.release("A.B")
                }
                notebook.note(message.text)
            })
        try await follow(consumer, until: ["1", "2", "3", "1", "2", "3"])
        try await eventually { try broker.cursor("A.B") == 3 }
        #expect(broker.state.withLock { $0.readers } == 2)
    }

    @Test("a place to begin at holds once, not when a lease was lost")
    func beginsOnce() async throws {
        try broker.send("A.B", ["1", "2", "3"])
        let options = ConsumerOptions(
            reading: ReaderOptions(start: .beginning, ignoresCursor: true), commitInterval: .zero)
        try await consumer(options: options).consume()
        let broker = broker
        let consumer = consumer(
            options: options,
            handler: .each { [notebook] message in
                notebook.note(message.text)
                guard notebook.all.count == 5 else { return }
                try broker.takeOver("A.B")
                try broker.release("A.B")
            })
        // Message 2 comes again because the lease was lost before it was committed; message 1 does not.
        try await follow(consumer, until: ["1", "2", "3", "1", "2", "2", "3"])
    }

    @Test("a store of dead letters that is away is waited for")
    func parksLater() async throws {
        try broker.send("A.B", ["1", "2"])
        let away = MessageLogError(.ambiguous, "away")
        broker.fail(.append, away, away)
        let options = try ConsumerOptions(retry: .never, deadLetters: DeadLetters(RoutingKey("Dead")))
        let consumer = consumer(
            options: options,
            handler: .each { [notebook] message in
                if message.text == "1" { throw HandlerFault() }
                notebook.note(message.text)
            })
        let counts = try await follow(consumer, until: ["2"])
        #expect(counts == ConsumerCounts(handled: 1, parked: 1))
        #expect(try broker.bodies("Dead").map { DeadLetter(Array($0.utf8))?.message.text } == ["1"])
        #expect(clock.pauses.count == 2)
    }

    @Test("consumers of a group run together, and one that fails ends the others")
    func group() async throws {
        try broker.send("A", ["a1", "a2"])
        try broker.send("B", ["b1"])
        let group = ConsumerGroup([consumer("A"), consumer("B")])
        #expect(try await group.consume().handled == 3)
        #expect(Set(notebook.all) == ["a1", "a2", "b1"])
        let failing = consumer(
            "B", options: ConsumerOptions(retry: .never), handler: .each { _ in throw HandlerFault() })
        try broker.send("B", ["b2"])
        await #expect {
            try await ConsumerGroup([consumer("A"), failing]).follow()
        } throws: { code($0) == .handlerFailed }
    }
}
