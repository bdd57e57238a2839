import CivilTime
import MessageLog
import Synchronization
import TestServers
import Testing

@Suite(.timeLimit(.minutes(1))) struct ConcurrentProducerTests {
    @Test("messages that are enqueued go in batches, in order, and flush returns when all are stored")
    func flush() async throws {
        let broker = FaultyBroker()
        let options = quickOptions(batching: .init(interval: .seconds(3600), count: 1_000))
        let producer = try ConcurrentProducer(routingKey: "a", brokers: [broker], options: options)
        for number in 1...2_500 { try await producer.enqueue("\(number)") }
        try await producer.flush()
        #expect(broker.stored == (1...2_500).map(String.init))
        #expect(broker.sizes == [1_000, 1_000, 500])
        try await producer.flush()
        await producer.close()
    }

    @Test("a batch goes when its interval is over")
    func interval() async throws {
        let broker = FaultyBroker()
        let options = quickOptions(batching: .init(interval: .milliseconds(30)))
        let producer = try ConcurrentProducer(routingKey: "a", brokers: [broker], options: options)
        try await producer.enqueue("one")
        try await producer.enqueue("two")
        try await eventually { broker.stored == ["one", "two"] }
        await producer.close()
    }

    @Test("a batch has as many bytes as the options say, and a message that has more goes by itself")
    func bytes() async throws {
        let broker = FaultyBroker()
        let size = 100 + MessageBatch.recordHeader
        let options = quickOptions(batching: .init(interval: .seconds(3600), bytes: 10 * size))
        let producer = try ConcurrentProducer(routingKey: "a", brokers: [broker], options: options)
        for _ in 1...25 { try await producer.enqueue(String(repeating: "x", count: 100)) }
        try await producer.enqueue(String(repeating: "y", count: 5_000))
        try await producer.enqueue("z")
        await producer.close()
        #expect(broker.sizes == [10, 10, 5, 1, 1])
    }

    @Test("what waits in memory is bounded: then enqueue waits, and offer says that there is no room")
    func backpressure() async throws {
        let broker = FaultyBroker()
        var options = quickOptions(batching: .init(interval: .zero, bytes: 16 << 10), patience: .seconds(60))
        options.bufferBytes = 64 << 10
        let producer = try ConcurrentProducer(routingKey: "a", brokers: [broker], options: options)
        broker.script([], then: .hang)
        let body = [UInt8](repeating: 0x78, count: 1_000)
        var taken = 0
        while try body.withUnsafeBytes({ try producer.offer($0) }) != nil { taken += 1 }
        #expect(taken == (64 << 10) / (1_000 + MessageBatch.recordHeader))
        let waiting = Task { try await producer.enqueue(body) }
        let hopeless = Task { try await producer.enqueue(body) }
        hopeless.cancel()
        #expect(await failureCode { _ = try await hopeless.value } == .cancelled)
        try await eventually { broker.isHanging }
        broker.script([])
        broker.proceed()
        _ = try await waiting.value
        await producer.close()
        #expect(broker.stored.count == taken + 1)
    }

    @Test("each message's outcome can be awaited, and is reported with its batch")
    func outcomes() async throws {
        let broker = FaultyBroker()
        let reports = Mutex<[String]>([])
        let options = quickOptions(batching: .init(interval: .seconds(3600), count: 2))
        let producer = try ConcurrentProducer(routingKey: "a", brokers: [broker], options: options) { report in
            reports.withLock { $0.append("\(report.numbers) \(report.isComplete)") }
        }
        broker.script([.store, .fail(.denied), .store])
        var sent: [SentMessage] = []
        for text in ["1", "2", "3", "4", "5", "6"] { sent.append(try await producer.enqueue(text)) }
        #expect(sent.map(\.number) == Array(1...6))
        #expect(try await sent[1].receipt().description == "scripted://one: stored at 2")
        #expect(await failureCode { _ = try await sent[3].receipt() } == .denied)
        #expect(try await sent[4].receipt().description == "scripted://one: stored at 3")
        // A flush tells of a message that reached no broker, and only once.
        #expect(await failureCode { try await producer.flush() } == .denied)
        try await producer.flush()
        #expect(reports.withLock { $0 } == ["1...2 true", "3...4 false", "5...6 true"])
        await producer.close()
    }

    @Test("batches that were gathered elsewhere keep their place and their messages")
    func batches() async throws {
        let broker = FaultyBroker()
        let producer = try ConcurrentProducer(
            routingKey: "a", brokers: [broker], options: quickOptions(batching: .init(interval: .seconds(3600))))
        try await producer.enqueue("1")
        var batch = MessageBatch()
        for text in ["2", "3"] { batch.append(text.utf8, at: .now) }
        #expect(try producer.offer(batch)?.number == 3)
        #expect(await failureCode { _ = try producer.offer(MessageBatch()) } == .invalidArgument)
        try await producer.enqueue("4")
        await producer.close()
        #expect(broker.stored == ["1", "2", "3", "4"])
        #expect(broker.sizes == [1, 2, 1])
        #expect(await failureCode { _ = try producer.offer(batch) } == .closed)
    }
}
