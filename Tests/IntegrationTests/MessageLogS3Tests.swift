import CivilTime
import Logging
import MessageLog
import ObjectStorage
import Synchronization
import SystemPackage
import TestServers
import Testing

/// The ordered layout on a real store.
@Suite(.timeLimit(.minutes(3))) struct MessageLogS3Tests {
    private let key: RoutingKey
    init() throws { key = try RoutingKey("Racing.Key") }

    @Test("what four producers append at the same time is there once each, in one order for all")
    func races() async throws {
        try await withSeaweedFS { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for producer in 0..<4 {
                    group.addTask { try await produce(200, as: producer, on: server.login) }
                }
                try await group.waitForAll()
            }
            let broker = try server.login.logBroker()
            let messages = try await readAll(broker, "one")
            #expect(messages.map(\.position) == (1...800).map { Position.sequence($0) })
            for producer in 0..<4 {
                let own = messages.map(\.text).filter { $0.hasPrefix("\(producer) ") }
                #expect(own == (0..<200).map { "\(producer) \($0)" })
            }
            #expect(try await readAll(broker, "two").map(\.text) == messages.map(\.text))
            let report = try await broker.verify(key) { finding in Issue.record("\(finding)") }
            #expect(report.messages == 800)
            await broker.close()
        }
    }

    /// Appends messages as a process of its own does, five at a time.
    private func produce(_ count: Int, as producer: Int, on login: S3Login) async throws {
        let broker = try login.logBroker()
        let writer = try await broker.makeWriter(for: key)
        for start in stride(from: 0, to: count, by: 5) {
            var batch = MessageBatch()
            for number in start..<start + 5 { batch.append(Array("\(producer) \(number)".utf8), at: .now) }
            try await writer.append(batch)
        }
        await writer.close()
        await broker.close()
    }

    @Test("a store that is killed and comes back gets what was sent meanwhile, once and in order")
    func outage() async throws {
        try await withSeaweedFS { server in
            try await withTemporaryFolder { folder in
                let broker = try server.login.logBroker()
                let options = ProducerOptions(
                    patience: .seconds(3), pauses: .milliseconds(20) ... .milliseconds(200), spooling: .always,
                    spoolFolder: FilePath(folder))
                let producer = try Producer(routingKey: "Racing.Key", brokers: [broker], options: options)
                for number in 0..<20 { #expect(try await producer.send("\(number)").isComplete) }
                await server.kill()
                for number in 20..<60 { #expect(try await producer.send("\(number)").isComplete) }
                #expect(await producer.counts[0].isBehind)
                try await server.start()
                for number in 60..<80 { #expect(try await producer.send("\(number)").isComplete) }
                #expect(await producer.catchUp(within: .seconds(60)))
                #expect(try await producer.send("80").isStored)
                await producer.close()
                #expect(try await readAll(broker, "c").map(\.text) == (0...80).map(String.init))
                await broker.close()
            }
        }
    }

    @Test("retention takes what is old by the store's clock, leaves what a cursor has not passed, and numbers go on")
    func retention() async throws {
        try await withSeaweedFS { server in
            // What the store lists was written long ago, when that is asked for.
            let isAged = Atomic(false)
            let proxy = try ScriptedHTTP(to: server.login.port) { request in
                guard request.target.contains("list-type=2"), isAged.load(ordering: .relaxed) else { return .forward }
                return .forwardChanging { $0.replacing("<LastModified>20", with: "<LastModified>19") }
            }
            defer { proxy.close() }
            let broker = try server.login.logBroker(port: proxy.port)
            let writer = try await broker.makeWriter(for: key)
            for number in 1...6 {
                var batch = MessageBatch()
                for part in ["a", "b"] { batch.append(Array("\(number)\(part)".utf8), at: .now) }
                try await writer.append(batch)
            }
            #expect(try await broker.retain(key, RetentionPolicy(maximumBytes: 0)).segments == 0)

            isAged.store(true, ordering: .relaxed)
            try await broker.setCursor(ConsumerName("slow"), of: key, in: nil, to: .sequence(6))
            let report = try await broker.retain(key, RetentionPolicy(maximumBytes: 0))
            #expect(report.segments == 2 && report.messages == 4)
            #expect(try await readAll(broker, "slow").first?.text == "3b")
            #expect(try await broker.retain(key, RetentionPolicy(maximumBytes: 0)).segments == 3)
            #expect(try await readAll(broker, "new").map(\.text) == ["6a", "6b"])
            let extent = try await broker.extent(of: key)
            #expect(extent.firstSequence == 11 && extent.nextSequence == 13 && extent.segments == 1)
            let verified = try await broker.verify(key) { finding in Issue.record("\(finding)") }
            #expect(verified.segments == 1)
            await broker.close()
        }
    }

    private func readAll(_ broker: LogBroker, _ name: String) async throws -> [Message] {
        let reader = try await broker.makeReader(
            of: RoutingPattern(key), for: ConsumerName(name), options: ReaderOptions())
        var messages: [Message] = []
        while case let some = try await reader.next(), let last = some.last {
            messages += some
            try await reader.commit(through: last)
        }
        await reader.close()
        return messages
    }
}

extension S3Login {
    /// A log in the bucket, on connections of its own.
    func logBroker(port other: Int? = nil) throws -> LogBroker {
        var configuration = S3Configuration(
            bucket: bucket, endpoint: "http://127.0.0.1:\(other ?? port)", usesPathStyle: true,
            credentials: .fixed(S3Credentials(accessKeyID: accessKeyID, secretAccessKey: secretAccessKey)))
        configuration.retry = RetryPolicy(
            attempts: 3, firstPause: .milliseconds(20), longestPause: .milliseconds(200), deadline: .seconds(10))
        return try LogBroker(store: S3ObjectStore(configuration, logger: quietLogger), logger: quietLogger)
    }
}
