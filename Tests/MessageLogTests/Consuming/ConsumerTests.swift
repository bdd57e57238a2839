import CivilTime
import Synchronization
import SystemPackage
import TestServers
import Testing

@testable import MessageLog

@Suite struct ConsumerTests {
    private let broker = ScriptedBroker()
    private let clock = ScriptedClock()
    private let notebook = Notebook()

    private func subscription(
        _ pattern: String = "A.B", name: String = "default", options: ConsumerOptions = ConsumerOptions()
    ) -> Subscription {
        Subscription(
            pattern, name: name, at: .broker(broker), options: options, logger: .quiet, clock: clock.consumerClock)
    }

    private func consumer(
        _ pattern: String = "A.B", name: String = "default", options: ConsumerOptions = ConsumerOptions(),
        _ handler: @escaping @Sendable (Message) throws -> Void
    ) -> Consumer {
        Consumer(subscription(pattern, name: name, options: options), handler: .each(handler))
    }

    @Test("a handler gets what there is, in order and once, and the cursor stands behind it")
    func consumes() async throws {
        try broker.send("A.B", (1...10).map { "\($0)" })
        let consume = Consumer("a.b", broker: broker) { [notebook] message in notebook.note(message.text) }
        #expect(try await consume.consume().handled == 10)
        #expect(notebook.all == (1...10).map { "\($0)" })
        #expect(try broker.cursor("A.B") == 10)
        #expect(try await consume.consume().handled == 0)
        #expect(broker.state.withLock { $0.openReaders } == 0)
    }

    @Test("a handler that waits gets what there is, too")
    func consumesAsynchronously() async throws {
        try broker.send("A.B", ["1", "2", "3", "4", "5"])
        let consume = Consumer("A.B", broker: broker) { [notebook] message in
            await Task.yield()
            notebook.note(message.text)
        }
        #expect(try await consume.consume() == ConsumerCounts(handled: 5))
        #expect(notebook.all == ["1", "2", "3", "4", "5"])
    }

    @Test("calling a consumer runs its handler and nothing else")
    func calls() async throws {
        try broker.send("A.B", ["kept"])
        let consume = Consumer("A.B", broker: broker) { [notebook] message in
            notebook.note(message.text)
            throw HandlerFault()
        }
        let message = try Message(
            key: RoutingKey("C"), body: ArraySlice("called".utf8), time: .now, position: .sequence(1))
        await #expect(throws: HandlerFault.self) { try await consume(message) }
        #expect(notebook.all == ["called"])
        #expect(broker.state.withLock { $0.calls } == 0)
    }

    @Test("without a broker it reads the first one of the configuration")
    func configured() async throws {
        try await withTemporaryFolder { folder in
            var configuration = MessageLogConfiguration()
            configuration.brokers = ["file://\(folder)/first", "file://\(folder)/second"]
            configuration.cursorFolder = FilePath("\(folder)/cursors")
            configuration.producing.spooling = .never
            let producer = try Producer(routingKey: "Simple.Queue", configuration: configuration)
            try await producer.send("1")
            try await producer.send("2")
            await producer.close()
            let consume = Consumer("Simple.Queue", configuration: configuration) { [notebook] in notebook.note($0.text)
            }
            #expect(try await consume.consume() == ConsumerCounts(handled: 2))
            #expect(try await consume.consume() == ConsumerCounts())
            #expect(notebook.all == ["1", "2"])
            var bodies: [String] = []
            let sequence = MessageSequence(
                "#", interval: nil, reading: ReaderOptions(ignoresCursor: true), configuration: configuration)
            for try await delivery in sequence { bodies.append(delivery.message.text) }
            #expect(bodies == ["1", "2"])
        }
    }

    @Test("consumers of different names each get everything")
    func names() async throws {
        try broker.send("A.B", ["1", "2"])
        for name in ["one", "two"] {
            let consumer = consumer(name: name) { [notebook] in notebook.note(name + $0.text) }
            try await consumer.consume()
        }
        #expect(notebook.all == ["one1", "one2", "two1", "two2"])
    }

    @Test(
        "what cannot be used is told when the consumer is used",
        arguments: [
            ("A..B", "default", ConsumerOptions()), ("A/B", "default", ConsumerOptions()),
            ("A", "../x", ConsumerOptions()),
            ("A", "default", ConsumerOptions(retry: HandlerRetry(attempts: 0))),
            ("A", "default", ConsumerOptions(retry: HandlerRetry(factor: 0.5))),
            ("A", "default", ConsumerOptions(retry: HandlerRetry(jitter: 2))),
            ("A", "default", ConsumerOptions(commitInterval: .seconds(-1))),
        ])
    func refuses(pattern: String, name: String, options: ConsumerOptions) async throws {
        let consumer = Consumer(pattern, name: name, broker: broker, options: options) { _ in }
        await #expect { try await consumer.consume() } throws: { code($0) == .invalidArgument }
        await #expect { try await consumer.follow() } throws: { code($0) == .invalidArgument }
        #expect(broker.state.withLock { $0.calls } == 0)
    }

    @Test("a dead-letter key whose messages the consumer would get is refused")
    func refusesOwnDeadLetters() async throws {
        let options = try ConsumerOptions(deadLetters: DeadLetters(RoutingKey("Dead.Letters")))
        for pattern in ["#", "Dead.*", "dead.letters"] {
            let consumer = consumer(pattern, options: options) { _ in }
            await #expect { try await consumer.consume() } throws: { code($0) == .invalidArgument }
        }
    }

    // MARK: Moving the cursor.

    @Test("while handlers are quick the cursor moves once, at the end")
    func commitsAtTheEnd() async throws {
        try broker.send("A.B", (1...50).map { "\($0)" })
        try await consumer { _ in }.consume()
        #expect(broker.events == ["commit A.B 50"])
    }

    @Test("the cursor moves at least once a second while messages are handled")
    func commitsEachSecond() async throws {
        try broker.send("A.B", (1...10).map { "\($0)" })
        try await consumer { [clock] _ in clock.advance(.milliseconds(250)) }.consume()
        #expect(broker.events == ["commit A.B 4", "commit A.B 8", "commit A.B 10"])
    }

    @Test("the cursor moves after each message that takes long")
    func commitsAfterEach() async throws {
        try broker.send("A.B", ["1", "2", "3"])
        let consumer = Consumer(subscription(), handler: .eachAsync { [clock] _ in clock.advance(.seconds(2)) })
        try await consumer.consume()
        #expect(broker.events == ["commit A.B 1", "commit A.B 2", "commit A.B 3"])
    }

    @Test("a crash at any point skips nothing")
    func crashes() async throws {
        let all = (1...12).map { "\($0)" }
        var crashes = 0
        for callsLeft in 0... {
            let broker = ScriptedBroker()
            try broker.send("A.B", all)
            broker.state.withLock { $0.callsLeft = callsLeft }
            let notebook = Notebook()
            let options = ConsumerOptions(commitInterval: .zero)
            let consumer = Consumer("A.B", broker: broker, options: options, logger: .quiet) { notebook.note($0.text) }
            let wasEnough = (try? await consumer.consume()) != nil
            crashes += wasEnough ? 0 : 1
            let first = notebook.all
            #expect(first == Array(all.prefix(first.count)))
            broker.state.withLock { state in
                state.callsLeft = .max
                state.holders = [:]
            }
            try await consumer.consume()
            let second = Array(notebook.all.dropFirst(first.count))
            #expect(second == Array(all.suffix(second.count)))
            #expect(first.count + second.count >= all.count)
            // One message a crash at most, since the cursor moves after each.
            #expect(first.count + second.count <= all.count + 1)
            if wasEnough { break }
        }
        #expect(crashes > 12)
    }

    // MARK: Failures of the handler.

    @Test("a handler that throws gets the message again, with pauses that grow")
    func retries() async throws {
        try broker.send("A.B", ["1", "2", "3"])
        let failures = Notebook()
        let options = ConsumerOptions(
            retry: HandlerRetry(attempts: 4, firstPause: .milliseconds(100), factor: 3, jitter: 0))
        let consumer = consumer(options: options) { [notebook] message in
            if message.text == "2", failures.all.count < 3 {
                failures.note("failed")
                throw HandlerFault()
            }
            notebook.note(message.text)
        }
        let counts = try await consumer.consume()
        #expect(notebook.all == ["1", "2", "3"])
        #expect(clock.pauses == [.milliseconds(100), .milliseconds(300), .milliseconds(900)])
        #expect(counts == ConsumerCounts(handled: 3, retries: 3))
        // What was handled before the failure is safe before the first pause.
        #expect(broker.events.first == "commit A.B 1")
        #expect(broker.events.last == "commit A.B 3")
    }

    @Test("chance shortens a pause, and none is longer than the longest")
    func pauses() {
        let policy = HandlerRetry(
            attempts: 9, firstPause: .seconds(1), factor: 2, longestPause: .seconds(5), jitter: 0.5)
        #expect((1...5).map { policy.pause(after: $0, chance: 0) } == [1, 2, 4, 5, 5].map(Duration.seconds))
        #expect(policy.pause(after: 2, chance: 1) == .seconds(1))
        #expect(HandlerRetry(factor: 1e300).pause(after: 9, chance: 0) == .seconds(60))
        #expect(policy.pause(after: .max, chance: 0) == .seconds(5))
    }

    @Test("without a dead-letter key the cursor stays before a message that cannot be handled")
    func stops() async throws {
        try broker.send("A.B", ["1", "2", "3"])
        let consumer = consumer(options: ConsumerOptions(retry: HandlerRetry(attempts: 3))) { [notebook] message in
            notebook.note(message.text)
            if message.text == "2" { throw HandlerFault() }
        }
        await #expect {
            try await consumer.consume()
        } throws: { error in
            code(error) == .handlerFailed && (error as? MessageLogError)?.cause is HandlerFault
                && "\(error)".contains("message 2 of A.B")
        }
        #expect(notebook.all == ["1", "2", "2", "2"])
        #expect(try broker.cursor("A.B") == 1)
        #expect(broker.state.withLock { $0.openReaders } == 0)
    }

    @Test("a message that cannot be handled is put aside as it is, before the cursor moves behind it")
    func parks() async throws {
        try broker.send("A.B", ["1", "2\u{0}\n", "3"])
        let options = try ConsumerOptions(
            retry: HandlerRetry(attempts: 2), deadLetters: DeadLetters(RoutingKey("Dead.Letters")))
        let consumer = consumer(options: options) { [notebook] message in
            if message.text.hasPrefix("2") { throw HandlerFault() }
            notebook.note(message.text)
        }
        #expect(try await consumer.consume() == ConsumerCounts(handled: 2, retries: 1, parked: 1))
        #expect(notebook.all == ["1", "3"])
        let letter = try #require(try DeadLetter(Array(broker.bodies("Dead.Letters")[0].utf8)))
        #expect(letter.message.key.description == "A.B")
        #expect(letter.message.text == "2\u{0}\n")
        #expect(letter.message.position == .sequence(2))
        #expect(letter.message.time == UTCTime(microseconds: 1))
        #expect(letter.broker == "scripted")
        #expect(letter.consumer.description == "default")
        #expect(letter.error.contains("HandlerFault"))
        #expect(letter.attempts == 2)
        #expect(broker.events == ["commit A.B 1", "append DEAD.LETTERS 1", "commit A.B 2", "commit A.B 3"])
    }

    @Test("a body is put aside as it is where that is asked for, or where with its origin it would be too long")
    func parksBodies() async throws {
        try broker.send("A.B", ["1"])
        let options = try ConsumerOptions(
            retry: .never, deadLetters: DeadLetters(RoutingKey("Dead"), form: .body))
        try await consumer(options: options) { _ in throw HandlerFault() }.consume()
        #expect(try broker.bodies("Dead") == ["1"])

        let long = String(repeating: "x", count: Message.maximumBody - 10)
        try broker.send("C", [long])
        let letters = try ConsumerOptions(retry: .never, deadLetters: DeadLetters(RoutingKey("Dead")))
        try await consumer("C", options: letters) { _ in throw HandlerFault() }.consume()
        #expect(try broker.bodies("Dead").last == long)
    }

    @Test("what is no text is in a dead letter all the same, and what is no dead letter is none")
    func deadLetters() throws {
        let bytes: [UInt8] = [0xff, 0, 0xfe]
        for position in [Position.sequence(7), .name("2026-11-21T01:23:45.678901"), .delivery(9)] {
            let message = try Message(key: RoutingKey("A.B"), body: bytes[...], time: .now, position: position)
            let letter = DeadLetter(
                message, from: "x", for: .standard, error: HandlerFault(), attempts: 1)
            let read = try #require(DeadLetter(letter.bytes()))
            #expect(Array(read.message.body) == bytes)
            #expect(read.message.position == position)
            #expect(read.message.time == message.time)
        }
        for text in ["", "{", "{}", "{\"deadLetter\":2}", "[1]", "{\"deadLetter\":1,\"key\":\"a/b\"}"] {
            #expect(DeadLetter(Array(text.utf8)) == nil)
        }
    }

    @Test("dead letters go to another broker if one is named")
    func parksElsewhere() async throws {
        try broker.send("A.B", ["1"])
        let other = ScriptedBroker("other")
        // The same key would be refused on the same broker.
        let options = try ConsumerOptions(
            retry: .never, deadLetters: DeadLetters(RoutingKey("A.B"), broker: other))
        #expect(try await consumer(options: options) { _ in throw HandlerFault() }.consume().parked == 1)
        #expect(try other.bodies("A.B").map { DeadLetter(Array($0.utf8))?.message.text } == ["1"])
        #expect(try broker.bodies("A.B") == ["1"])
    }

    @Test("when a message cannot be put aside the cursor stays before it")
    func parksInVain() async throws {
        try broker.send("A.B", ["1"])
        broker.fail(.append, MessageLogError(.unreachable, "away"))
        let options = try ConsumerOptions(retry: .never, deadLetters: DeadLetters(RoutingKey("Dead")))
        let consumer = consumer(options: options) { _ in throw HandlerFault() }
        await #expect { try await consumer.consume() } throws: { code($0) == .unreachable }
        #expect(try broker.cursor("A.B") == 0)
        #expect(try broker.bodies("Dead") == [])
        #expect(try await consumer.consume().parked == 1)
        #expect(try broker.bodies("Dead").count == 1)
    }
}

func code(_ error: any Error) -> MessageLogError.Code? { (error as? MessageLogError)?.code }

extension ConsumerCounts {
    init(handled: Int = 0, retries: Int = 0, parked: Int = 0) {
        self.init()
        self.handled = handled
        self.retries = retries
        self.parked = parked
    }
}
