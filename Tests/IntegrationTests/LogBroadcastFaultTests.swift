import AMQP
import LogBroadcast
import Logging
import Synchronization
import TestServers
import Testing

/// What becomes of records when the broker, the network or a viewer fails.
@Suite struct LogBroadcastFaultTests {
    /// Logs numbers from 1, a few at a time, until it is stopped.
    private final class Stream: Sendable {
        private let task: Task<Int, Never>

        init(_ logger: Logger, every pause: Duration = .milliseconds(5), times: Int = 5) {
            task = Task {
                var number = 0
                while !Task.isCancelled {
                    for _ in 0..<times {
                        number += 1
                        logger.info("\(number)")
                    }
                    try? await Task.sleep(for: pause)
                }
                return number
            }
        }

        /// - Returns: The last number.
        func stop() async -> Int {
            task.cancel()
            return await task.value
        }
    }

    @Test("a broker that is killed and started again in mid-stream costs no viewer a record")
    func killedBroker() async throws {
        try await withRabbitMQ { server in
            let url = "amqp://guest:guest@127.0.0.1:\(server.port)"
            let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions(bufferBytes: 64 << 20))
            let watchers = try [Watcher(url, options: eagerOptions), Watcher(url, options: eagerOptions)]
            for watcher in watchers { try await watcher.viewer.waitUntilReady(within: .seconds(30)) }
            let stream = Stream(broadcastLogger(broadcast))
            for _ in 0..<2 {
                let before = watchers[0].seen.records.count
                try await eventually("records to flow") { watchers[0].seen.records.count > before + 500 }
                let losses = watchers.map { $0.seen.disconnected.count }
                await server.kill()
                try await eventually("the loss") {
                    zip(watchers, losses).allSatisfy { $0.seen.disconnected.count > $1 }
                }
                try await server.start()
                let after = watchers[0].seen.records.count
                try await eventually(within: .seconds(60), "records again") {
                    watchers[0].seen.records.count > after + 500
                }
            }
            let last = await stream.stop()
            #expect(await broadcast.shutdown(within: .seconds(60)) == 0)
            for watcher in watchers {
                try await watcher.sees("\(last)")
                let seen = watcher.seen
                #expect(seen.records.map(\.seq) == (1...UInt64(last)).map { $0 })
                #expect(seen.missed == 0)
                #expect(seen.connected == 3)
                await watcher.close()
            }
        }
    }

    @Test("records that are dropped while the broker is away are counted to the last one")
    func droppedRecords() async throws {
        try await withRabbitMQ { server in
            let url = "amqp://guest:guest@127.0.0.1:\(server.port)"
            let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions(bufferBytes: 64 << 10))
            let watcher = try Watcher(url, options: eagerOptions)
            try await watcher.viewer.waitUntilReady(within: .seconds(30))
            let logger = broadcastLogger(broadcast)
            let stream = Stream(logger)
            try await eventually("records to flow") { watcher.seen.records.count > 100 }
            try await server.stopApplication()
            try await Task.sleep(for: .seconds(2))
            try await server.startApplication()
            try await eventually(within: .seconds(30), "the drops to be told") { watcher.seen.dropped > 0 }
            let last = await stream.stop()
            logger.info("end")
            try await watcher.sees("end")
            // Further drops are told of a second after the first at the earliest.
            try await eventually("all drops to be told") { watcher.seen.dropped == watcher.seen.missed }
            let seen = watcher.seen
            #expect(seen.own.count + Int(seen.dropped) == last + 1)
            #expect(seen.own.map(\.seq) == seen.own.map(\.seq).sorted())
            await broadcast.shutdown(within: .seconds(5))
            await watcher.close()
        }
    }

    @Test("a memory alarm holds records back and nobody up, and what was dropped is counted")
    func memoryAlarm() async throws {
        try await withRabbitMQ { server in
            let url = "amqp://guest:guest@127.0.0.1:\(server.port)"
            let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions(bufferBytes: 64 << 10))
            let watcher = try Watcher(url)
            try await watcher.viewer.waitUntilReady(within: .seconds(30))
            let logger = broadcastLogger(broadcast)
            logger.info("before")
            try await watcher.sees("before")
            try await server.raiseMemoryAlarm()
            // The broker tells it to those who publish, and to each with what comes first from it. What came before goes on.
            for number in 1...40 {
                logger.info("probe \(number)")
                try await Task.sleep(for: .milliseconds(25))
            }
            #expect(!watcher.seen.records.contains { $0.message == "probe 40" })
            for number in 1...5_000 { logger.info("\(number)") }
            try await server.endMemoryAlarm()
            try await watcher.sees("5000")
            logger.info("end")
            try await watcher.sees("end")
            // Further drops are told of a second after the first at the earliest.
            try await eventually("all drops to be told") { watcher.seen.dropped == watcher.seen.missed }
            let seen = watcher.seen
            #expect(seen.dropped > 0)
            #expect(seen.own.count + Int(seen.dropped) == 5_042)
            await broadcast.shutdown(within: .seconds(5))
            await watcher.close()
        }
    }

    @Test("a viewer that stops reading misses the oldest, and nobody else misses anything")
    func stuckViewer() async throws {
        try await withRabbitMQ { server in
            let url = "amqp://guest:guest@127.0.0.1:\(server.port)"
            let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions(bufferBytes: 64 << 20))
            var options = ViewerOptions()
            options.queueBytes = 256 << 10
            options.prefetch = 100
            let stuck = try Watcher(url, options: options, isReading: false)
            let live = try Watcher(url)
            for watcher in [stuck, live] { try await watcher.viewer.waitUntilReady(within: .seconds(30)) }
            let logger = broadcastLogger(broadcast)
            for number in 1...20_000 { logger.info("\(number)") }
            try await live.sees("20000")
            #expect(live.seen.records.count == 20_000)
            #expect(live.seen.missed == 0)
            stuck.read()
            try await stuck.sees("20000")
            #expect(stuck.seen.missed > 0)
            #expect(stuck.seen.records.count + Int(stuck.seen.missed) == 20_000)
            #expect(stuck.seen.records.first?.message == "1")
            await broadcast.shutdown(within: .seconds(5))
            for watcher in [stuck, live] { await watcher.close() }
        }
    }

    @Test("a viewer that stops reading has the broker keep some of its long records, and no more of them on the way")
    func stuckViewerOfLongRecords() async throws {
        try await withRabbitMQ { server in
            let url = "amqp://guest:guest@127.0.0.1:\(server.port)"
            let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions(bufferBytes: 256 << 20))
            var options = ViewerOptions()
            options.queueBytes = 4 << 20
            options.prefetchBytes = 1 << 20
            let stuck = try Watcher(url, options: options, isReading: false)
            let live = try Watcher(url)
            for watcher in [stuck, live] { try await watcher.viewer.waitUntilReady(within: .seconds(30)) }
            let logger = broadcastLogger(broadcast)
            for number in 1...100 {
                logger.info("\(number)", metadata: ["text": "\(String(repeating: "x", count: 300_000))"])
            }
            logger.info("end")
            try await live.sees("end")
            #expect(live.seen.records.count == 101)
            // 30 MB went by. The queue kept 4 MiB of it; what is not acknowledged does not count there.
            // The live one's acknowledgements may be on their way.
            var bytes = ""
            let isBounded: ()? = try? await eventually {
                bytes = try await server.evaluate(
                    """
                    lists:max([proplists:get_value(message_bytes_unacknowledged,
                        rabbit_amqqueue:info(Queue, [message_bytes_unacknowledged])) || Queue <- rabbit_amqqueue:list()])
                    """)
                return Int(bytes).map { $0 > 0 && $0 < 3 << 20 } ?? false
            }
            #expect(isBounded != nil, "\(bytes)")
            stuck.read()
            try await stuck.sees("end")
            #expect(stuck.seen.missed > 0)
            #expect(stuck.seen.records.count + Int(stuck.seen.missed) == 101)
            await broadcast.shutdown(within: .seconds(5))
            for watcher in [stuck, live] { await watcher.close() }
        }
    }

    @Test("a broker that hangs, or is not there, holds nobody up who logs, nor the end of the program")
    func absentBroker() async throws {
        let port = try freePort()
        let listener = try TCPRelay(to: port, behaviour: .blackHole)
        defer { listener.close() }
        for port in [port, listener.port] {
            let broadcast = try Broadcast(
                to: BroadcastURL("amqp://guest:guest@127.0.0.1:\(port)"), options: quietOptions(bufferBytes: 64 << 10))
            let logger = broadcastLogger(broadcast)
            for number in 1...100_000 { logger.info("\(number)") }
            let error = await broadcastError { try await broadcast.waitUntilReady(within: .milliseconds(200)) }
            #expect(error?.code == .unavailable)
            let clock = ContinuousClock()
            let begun = clock.now
            #expect(await broadcast.shutdown(within: .milliseconds(200)) == 100_000)
            // Below the connection's own time limit of ten seconds.
            #expect(clock.now - begun < .seconds(9))
        }
    }

    @Test("a queue of somebody else's that refuses records has nobody told that they were dropped")
    func refusingQueue() async throws {
        try await withRabbitMQ { server in
            let url = "amqp://guest:guest@127.0.0.1:\(server.port)"
            let troubles = Mutex<[String]>([])
            var options = quietOptions()
            options.onTrouble = { trouble in troubles.withLock { $0.append(trouble) } }
            let broadcast = try Broadcast(to: BroadcastURL(url), options: options)
            let watcher = try Watcher(url)
            try await watcher.viewer.waitUntilReady(within: .seconds(30))
            try await broadcast.waitUntilReady(within: .seconds(30))
            let silent = Logger(label: "foreign") { _ in SwiftLogNoOpLogHandler() }
            let foreign = try Connection(to: BrokerURI(url), logger: silent)
            try await foreign.declare(
                Queue(
                    "foreign", isExclusive: true,
                    arguments: ["x-max-length": .integer(1), "x-overflow": "reject-publish"]))
            try await foreign.bind(Binding(exchange: "broadcast.fanout", queue: "foreign"))
            let logger = broadcastLogger(broadcast)
            var count = 0
            try await eventually("a refusal") {
                count += 1
                logger.info("\(count)")
                return troubles.withLock { $0.contains { $0.contains("refused") } }
            }
            logger.info("end")
            #expect(await broadcast.shutdown(within: .seconds(20)) == 0)
            try await watcher.sees("end")
            #expect(watcher.seen.records.map(\.message) == (1...count).map { "\($0)" } + ["end"])
            #expect(watcher.seen.missed == 0)
            await foreign.close()
            await watcher.close()
        }
    }

    @Test("a queue that somebody deletes is made again")
    func deletedQueue() async throws {
        try await withRabbitMQ { server in
            let url = "amqp://guest:guest@127.0.0.1:\(server.port)"
            let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions())
            let watcher = try Watcher(url)
            try await watcher.viewer.waitUntilReady(within: .seconds(30))
            let logger = broadcastLogger(broadcast)
            logger.info("before")
            try await watcher.sees("before")
            let name = try #require(try await server.queues().first)
            try await server.deleteQueue(name)
            try await eventually("the loss") { !watcher.seen.disconnected.isEmpty }
            try await eventually("a record after it") {
                logger.info("after")
                return watcher.seen.records.contains { $0.message == "after" }
            }
            await broadcast.shutdown(within: .seconds(5))
            await watcher.close()
        }
    }

    @Test("an exchange that somebody deletes is made again, by who logs and by who watches")
    func deletedExchange() async throws {
        try await withRabbitMQ { server in
            let url = "amqp://guest:guest@127.0.0.1:\(server.port)"
            let broadcast = try Broadcast(to: BroadcastURL(url), options: quietOptions())
            var options = ViewerOptions()
            options.bindingInterval = .milliseconds(100)
            let watcher = try Watcher(url, options: options)
            try await watcher.viewer.waitUntilReady(within: .seconds(30))
            let logger = broadcastLogger(broadcast)
            logger.info("before")
            try await watcher.sees("before")
            let silent = Logger(label: "vandal") { _ in SwiftLogNoOpLogHandler() }
            let vandal = try Connection(to: BrokerURI(url), logger: silent)
            try await vandal.deleteExchange("broadcast.fanout")
            try await eventually("a record after it") {
                logger.info("after")
                return watcher.seen.records.contains { $0.message == "after" }
            }
            await vandal.close()
            await broadcast.shutdown(within: .seconds(5))
            await watcher.close()
        }
    }
}
