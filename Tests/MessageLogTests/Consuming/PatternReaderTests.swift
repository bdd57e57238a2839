import CivilTime
import TestServers
import Synchronization
import Testing

@testable import MessageLog

@Suite struct PatternReaderTests {
    private let broker = ScriptedBroker()
    private let notebook = Notebook()
    private let clock = ScriptedClock()

    private func reader(
        _ pattern: String = "A.*", options: ReaderOptions = ReaderOptions()
    ) throws -> PatternReader {
        let pattern = try RoutingPattern(pattern)
        let broker = broker
        return PatternReader(
            PatternReader.Source(
                keys: { () throws(MessageLogError) in try await broker.keys(matching: pattern) },
                makeReader: { key, options throws(MessageLogError) in
                    try await broker.makeReader(of: RoutingPattern(key), for: .standard, options: options)
                }), options: options, clock: clock.consumerClock)
    }

    @Test("messages of several keys are merged by time")
    func merges() async throws {
        try broker.send("A.X", ["x10", "x30", "x50"], from: 10, step: 20)
        try broker.send("A.Y", ["y20", "y40", "y60"], from: 20, step: 20)
        try broker.send("B", ["other"])
        #expect(try await reader().next().map(\.text) == ["x10", "y20", "x30", "y40", "x50", "y60"])
    }

    @Test("messages of a key keep their order, also when a sender's clock is behind")
    func keepsOrder() async throws {
        try broker.send("A.X", ["x1", "x2", "x3"], from: 100, step: -50)
        try broker.send("A.Y", ["y1"], from: 60)
        #expect(try await reader().next().map(\.text) == ["y1", "x1", "x2", "x3"])
    }

    @Test("a key that comes into being later is read from its beginning, also by who began at the end")
    func findsKeys() async throws {
        try broker.send("A.X", ["before"])
        let reader = try reader(options: ReaderOptions(start: .end))
        #expect(try await reader.next().isEmpty)
        try broker.send("A.X", ["x"])
        try broker.send("A.Y", ["y"], from: 1)
        clock.advance(.seconds(1))
        #expect(try await reader.next().map(\.text) == ["x", "y"])
    }

    @Test("each key has a cursor of its own")
    func commits() async throws {
        try broker.send("A.X", ["x1", "x2", "x3"], from: 1, step: 2)
        try broker.send("A.Y", ["y1", "y2"], from: 2, step: 2)
        let consumer = AggregateConsumer(
            "a.*", broker: broker, count: 3, options: ConsumerOptions(retry: .never), logger: .quiet
        ) { [notebook] messages in
            if notebook.all.count == 3 { throw HandlerFault() }
            for message in messages { notebook.note(message.text) }
        }
        await #expect { try await consumer.consume() } throws: { code($0) == .handlerFailed }
        #expect(notebook.all == ["x1", "y1", "x2"])
        #expect(try broker.cursor("A.X") == 2)
        #expect(try broker.cursor("A.Y") == 1)
    }

    @Test("consumers of one name share the keys, and none waits for the other while it has any")
    func sharesKeys() async throws {
        try broker.send("A.X", ["x"])
        let first = try reader()
        #expect(try await first.next().map(\.text) == ["x"])
        try broker.send("A.Y", ["y"])
        let second = try reader()
        #expect(try await second.next().map(\.text) == ["y"])
        clock.advance(.seconds(1))
        #expect(try await first.next().isEmpty)
        await second.close()
        #expect(try await first.next().map(\.text) == ["y"])
    }

    @Test("who has no key waits until one is free")
    func waitsForKeys() async throws {
        try broker.send("A.X", ["x"])
        let first = try reader()
        #expect(try await first.takeLease())
        let second = try reader()
        #expect(try await !second.takeLease())
        let waiting = Task { try await second.next() }
        try await eventually("it waits") { !clock.pauses.isEmpty }
        await first.close()
        #expect(try await waiting.value.map(\.text) == ["x"])
    }

    @Test("what was read of other keys is not lost when one fails")
    func keepsWhatWasRead() async throws {
        for key in ["A.X", "A.Y", "A.Z"] { try broker.send(key, [key]) }
        broker.fail(.next, MessageLogError(.unreachable, "away"))
        let reader = try reader()
        await #expect { try await reader.next() } throws: { code($0) == .unreachable }
        #expect(Set(try await reader.next().map(\.text)) == ["A.X", "A.Y", "A.Z"])
    }

    @Test("keys that wait because enough is at hand get their turn")
    func fairness() async throws {
        for number in 100..<130 { try broker.send("A.K\(number)", ["k\(number)", "l\(number)"]) }
        broker.state.withLock { $0.batch = 1 }
        let reader = try reader(options: ReaderOptions(batchBytes: 30))
        var seen: [String] = []
        while true {
            let messages = try await reader.next()
            if messages.isEmpty { break }
            // Four keys are read at a time, until that is enough.
            #expect(messages.count <= 8)
            seen += messages.map(\.text)
        }
        #expect(Set(seen.prefix(32)).count(where: { $0.hasPrefix("k") }) == 30)
        #expect(seen.count == 60)
    }

    @Test("it waits until one of its keys has more")
    func waits() async throws {
        try broker.send("A.X", ["x"])
        try broker.send("A.Y", ["y"])
        let reader = try reader()
        #expect(try await reader.next().count == 2)
        let waiting = Task { try await reader.waitForMore(atMost: .seconds(3600)) }
        try await eventually("both wait") { broker.state.withLock { $0.waiters.count } == 2 }
        try broker.send("A.Y", ["y2"])
        try await waiting.value
        #expect(try await reader.next().map(\.text) == ["y2"])
    }

    @Test("rewound, it gives again what was not committed")
    func rewinds() async throws {
        try broker.send("A.X", ["x1", "x2"])
        try broker.send("A.Y", ["y1"], from: 10)
        let reader = try reader()
        let messages = try await reader.next()
        try await reader.commit(through: messages[0])
        try await reader.rewind()
        #expect(try await reader.next().map(\.text) == ["x2", "y1"])
    }

    @Test("that a lease was lost is told, and not the failure of another key")
    func tellsLostLease() async throws {
        for key in ["A.X", "A.Y"] { try broker.send(key, ["1", "2", "3", "4", "5"]) }
        let reader = try reader()
        #expect(try await reader.next().count == 8)
        try broker.takeOver("A.Y")
        try broker.failNext(of: "A.X", MessageLogError(.unreachable, "away"))
        await #expect { try await reader.next() } throws: { code($0) == .leaseLost }
        // The other key goes on without the one that is lost.
        #expect(try await reader.next().map(\.text) == ["5"])
    }

    private let corrupt = MessageLogError(.corrupt, "damaged")

    @Test("a key that cannot be read keeps none of the others back, and is told of when these have nothing more")
    func corruptKey() async throws {
        for key in ["A.X", "A.Y", "A.Z"] { try broker.send(key, (1...6).map { "\(key) \($0)" }) }
        try broker.failNext(of: "A.Y", corrupt)
        let reader = try reader()
        var texts: [String] = []
        await #expect {
            while case let messages = try await reader.next(), !messages.isEmpty { texts += messages.map(\.text) }
        } throws: { code($0) == .corrupt }
        #expect(texts.count == 12 && !texts.contains { $0.hasPrefix("A.Y") })
        // Asked again, it looks again.
        #expect(try await reader.next().map(\.text) == (1...4).map { "A.Y \($0)" })
    }

    @Test("that a lease was lost is told at once, and does not hide behind a key that cannot be read")
    func lostLeaseBesideCorruptKey() async throws {
        for key in ["A.X", "A.Y", "A.Z"] { try broker.send(key, (1...5).map { "\(key) \($0)" }) }
        let reader = try reader()
        #expect(try await reader.next().count == 12)
        try broker.failNext(of: "A.X", corrupt)
        try broker.takeOver("A.Z")
        await #expect { try await reader.next() } throws: { code($0) == .leaseLost }
        #expect(try await reader.next().map(\.text) == ["A.Y 5"])
        await #expect { try await reader.next() } throws: { code($0) == .corrupt }
    }

    @Test("who follows is told of a key that cannot be read, goes on without it, and with it when it can be read")
    func followsWithoutKey() async throws {
        for key in ["A.X", "A.Y"] { try broker.send(key, [key]) }
        let reported = Mutex<[String]>([])
        var options = ReaderOptions()
        options.reportFault = { key, error in reported.withLock { $0.append("\(key) \(error)") } }
        let reader = try reader(options: options)
        try broker.failNext(of: "A.X", corrupt)
        #expect(try await reader.next().map(\.text) == ["A.Y"])
        #expect(try await reader.next().isEmpty)
        #expect(reported.withLock { $0 } == ["A.X damaged"])
        try broker.send("A.Y", ["later"])
        #expect(try await reader.next().map(\.text) == ["later"])
        clock.advance(.seconds(61))
        #expect(try await reader.next().map(\.text) == ["A.X"])
        #expect(reported.withLock { $0.count } == 1)
    }

    @Test("where no key can be read, who follows is not left without a word")
    func followsNothing() async throws {
        try broker.send("A.X", ["x"])
        var options = ReaderOptions()
        options.reportFault = { _, _ in }
        let reader = try reader(options: options)
        try broker.failNext(of: "A.X", corrupt)
        await #expect { try await reader.next() } throws: { code($0) == .corrupt }
    }

    @Test("what was read of other keys is handled before a key that cannot be read ends a consumer")
    func handlesBeforeEnding() async throws {
        for key in ["A.X", "A.Y", "A.Z"] { try broker.send(key, [key]) }
        try broker.failNext(of: "A.Y", corrupt)
        let consumer = AggregateConsumer("a.*", broker: broker, count: .max, logger: .quiet) { [notebook] messages in
            for message in messages { notebook.note(message.text) }
        }
        await #expect { try await consumer.consume() } throws: { code($0) == .corrupt }
        #expect(Set(notebook.all) == ["A.X", "A.Z"])
        #expect(try broker.cursor("A.X") == 1 && broker.cursor("A.Z") == 1 && broker.cursor("A.Y") == 0)
        #expect(try await consumer.consume().handled == 1)
    }

    @Test("a key that came into being before a lease was lost is read from its beginning, also by who began at the end")
    func newKeyAndLostLease() async throws {
        try broker.send("A.X", ["before"])
        let seat = ReaderSeat(
            Subscription(
                "A.*", name: "default", at: .broker(broker),
                options: ConsumerOptions(reading: ReaderOptions(start: .end)), logger: .quiet), follows: true)
        #expect(try await seat.reader().next().isEmpty)
        try broker.send("A.Y", ["y"])
        // As after a lost lease.
        await seat.leave()
        #expect(try await seat.reader().next().map(\.text) == ["y"])
        await seat.close()
    }
}
