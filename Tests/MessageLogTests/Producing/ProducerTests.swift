import CivilTime
import FoundationEssentials
import MessageLog
import TestServers
import Testing

@Suite(.timeLimit(.minutes(1))) struct ProducerTests {
    @Test("a message is stored when send returns, and the receipt says where")
    func send() async throws {
        let broker = FaultyBroker()
        let producer = try Producer(routingKey: "a.b", brokers: [broker])
        #expect(producer.key.description == "A.B")
        let first = try await producer.send("one")
        let second = try await producer.send([0x74, 0x77, 0x6f])
        #expect(broker.stored == ["one", "two"])
        #expect(first.isStored && second.isComplete)
        guard case .stored(.sequence(2)?) = second.brokers[0].outcome else {
            Issue.record("\(second)")
            return
        }
        #expect(second.description == "scripted://one: stored at 2")
        await producer.close()
        #expect(broker.closedWriters == 1)
        #expect(await failureCode { try await producer.send("late") } == .closed)
        #expect(broker.stored.count == 2)
    }

    @Test("keys, options and bodies that cannot be used are refused, and say why")
    func refused() async throws {
        let broker = FaultyBroker()
        #expect(await failureCode { _ = try Producer(routingKey: "a..b", brokers: [broker]) } == .invalidArgument)
        #expect(await failureCode { _ = try Producer(routingKey: "a/b", brokers: [broker]) } == .invalidArgument)
        #expect(await failureCode { _ = try Producer(routingKey: "a", brokers: []) } == .invalidArgument)
        let faults: [(inout ProducerOptions) -> Void] = [
            { $0.batching.bytes = 0 }, { $0.batching.bytes = Message.maximumBody + 1 }, { $0.batching.count = 0 },
            { $0.batching.interval = .seconds(-1) }, { $0.bufferBytes = 10 }, { $0.maxInFlight = 0 },
            { $0.spoolLimit = 8 * $0.batching.bytes - 1 }, { $0.patience = .seconds(-1) }, { $0.patience = .zero },
        ]
        for fault in faults {
            var options = ProducerOptions()
            fault(&options)
            #expect(
                await failureCode { _ = try Producer(routingKey: "a", brokers: [broker], options: options) }
                    == .invalidArgument)
        }
        let producer = try Producer(routingKey: "a", brokers: [broker])
        let longest = [UInt8](repeating: 0x61, count: Message.maximumBody)
        #expect(await failureCode { try await producer.send(longest + [0x61]) } == .invalidArgument)
        #expect(broker.attempts == 0)
        try await producer.send(longest)
        try await producer.send("")
        #expect(broker.stored.map(\.utf8.count) == [Message.maximumBody, 0])
        await producer.close()
    }

    @Test("what is sent while a batch is on its way goes as the next batch, and a lone message does not wait")
    func groupCommit() async throws {
        let broker = FaultyBroker()
        // An interval that no test waits for.
        let options = quickOptions(batching: .init(interval: .seconds(3600)), patience: .seconds(60))
        let producer = try Producer(routingKey: "a", brokers: [broker], options: options)
        broker.script([.hang])
        async let first = producer.send("0")
        try await eventually { broker.isHanging }
        let others = (1...100).map { number in
            Task { try await producer.send("\(number)") }
        }
        // They have all come when another message finds its number.
        try await eventually { producer.taken == 101 }
        broker.proceed()
        _ = try await first
        for other in others { _ = try await other.value }
        #expect(broker.sizes == [1, 100])
        await producer.close()
    }

    @Test("with waits set, sends wait for company")
    func waits() async throws {
        let broker = FaultyBroker()
        let options = quickOptions(
            batching: .init(interval: .seconds(3600), count: 3, waits: true), patience: .seconds(60))
        let producer = try Producer(routingKey: "a", brokers: [broker], options: options)
        let sends = (1...6).map { number in Task { try await producer.send("\(number)") } }
        for send in sends { _ = try await send.value }
        #expect(broker.sizes == [3, 3])
        await producer.close()
    }

    @Test("a failure that time mends is tried again, and any other is thrown at once")
    func retries() async throws {
        let broker = FaultyBroker()
        let options = quickOptions(patience: .seconds(30))
        let producer = try Producer(routingKey: "a", brokers: [broker], options: options)
        broker.script([.fail(.unreachable), .fail(.ambiguous), .fail(.full)])
        try await producer.send("one")
        #expect(broker.attempts == 4)
        broker.script([.fail(.denied)])
        #expect(await failureCode { try await producer.send("two") } == .denied)
        #expect(broker.attempts == 5)
        try await producer.send("three")
        #expect(broker.stored == ["one", "three"])
        await producer.close()
    }

    @Test("without a spool a broker that stays away, or does not answer, fails a send when patience ends")
    func impatience() async throws {
        let broker = FaultyBroker()
        let producer = try Producer(routingKey: "a", brokers: [broker], options: quickOptions())
        broker.script([], then: .fail(.unreachable))
        #expect(await failureCode { try await producer.send("lost") } == .unreachable)
        broker.script([.hang])
        #expect(await failureCode { try await producer.send("unknown") } == .ambiguous)
        try await producer.send("back")
        #expect(broker.stored == ["back"])
        let counts = await producer.counts
        #expect(counts[0].refused == 2 && counts[0].stored == 1)
        await producer.close()
    }

    @Test("a task that is cancelled hears of it at once, and its message goes on its way")
    func cancelled() async throws {
        let broker = FaultyBroker()
        let producer = try Producer(routingKey: "a", brokers: [broker], options: quickOptions(patience: .seconds(60)))
        broker.script([.hang])
        let send = Task { try await producer.send("one") }
        try await eventually { broker.isHanging }
        send.cancel()
        #expect(await failureCode { _ = try await send.value } == .cancelled)
        broker.proceed()
        await producer.close()
        #expect(broker.stored == ["one"])
    }

    @Test("a producer that is let go of sends what it took, and closes its writers")
    func released() async throws {
        let broker = FaultyBroker()
        do {
            let producer = try ConcurrentProducer(
                routingKey: "a", brokers: [broker], options: quickOptions(batching: .init(interval: .seconds(3600))))
            try await producer.enqueue("one")
        }
        try await eventually { broker.closedWriters == 1 }
        #expect(broker.stored == ["one"])
    }

    @Test("values are sent as JSON with their dates in the time format, and what is no JSON is refused")
    func json() async throws {
        struct Event: Encodable {
            var name: String
            var at: Date
            var path: String
            var list: [Int?]
        }
        let broker = FaultyBroker()
        var options = ProducerOptions()
        let date = Date(timeIntervalSince1970: 1_795_224_225.25)
        let event = Event(name: "grün", at: date, path: "/a", list: [1, nil])
        let producer = try Producer(routingKey: "a", brokers: [broker], options: options)
        try await producer.sendJSON(event)
        options.timeFormat = try TimeFormat("%d.%m.%y %H:%M")
        let other = try Producer(routingKey: "a", brokers: [broker], options: options)
        try await other.sendJSON(["at": date])
        #expect(
            broker.stored == [
                #"{"at":"2026-11-21T01:23:45.250000","list":[1,null],"name":"grün","path":"/a"}"#,
                #"{"at":"21.11.26 01:23"}"#,
            ])
        #expect(await failureCode { try await producer.sendJSON(Double.nan) } == .invalidArgument)
        #expect(await failureCode { try await producer.sendJSON(Date.distantFuture + 1e15) } == .invalidArgument)
        #expect(broker.stored.count == 2)
        await producer.close()
        await other.close()
    }
}
