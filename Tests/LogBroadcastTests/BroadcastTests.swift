import Logging
import Synchronization
import TestServers
import Testing

@testable import LogBroadcast

@Suite struct BroadcastTests {
    /// A way out that takes what a test lets it take.
    private final class Gate: BroadcastTransport {
        let outbox = Outbox(limit: 1 << 20, remembers: false)
        let isOpen: Bool
        let sent = Mutex<[LogRecord]>([])

        init(isOpen: Bool) { self.isOpen = isOpen }

        func wake() {
            guard isOpen else { return }
            let records = outbox.takeAll().compactMap { try? LogRecord(json: $0) }
            sent.withLock { $0 += records }
        }

        func waitUntilReady(within limit: Duration) async throws(LogBroadcastError) {}
        func hurry() {}
        func close(within limit: Duration) async -> Int {
            outbox.abandon()
            return 0
        }
    }

    private func broadcast(over gate: Gate, buffer: RecordBuffer = RecordBuffer(limit: 1 << 20)) -> Broadcast {
        var options = BroadcastOptions()
        options.machine = "lb-1"
        options.program = "test"
        return Broadcast(from: buffer, over: gate, options: options, troubles: Troubles(of: options))
    }

    @Test("the end of a program waits for its records")
    func flush() async {
        let gate = Gate(isOpen: true)
        let broadcast = broadcast(over: gate)
        let logger = Logger(label: "a") { BroadcastLogHandler(label: $0, to: broadcast) }
        for number in 1...500 { logger.info("\(number)") }
        #expect(await broadcast.shutdown(within: .seconds(60)) == 0)
        #expect(gate.sent.withLock { $0.map(\.message) } == (1...500).map { "\($0)" })
        logger.info("late")
        #expect(await broadcast.shutdown(within: .seconds(60)) == 0)
        #expect(gate.sent.withLock { $0.count } == 500)
    }

    @Test("a way out that takes nothing holds nobody up, and the end counts what is lost to the last record")
    func hung() async {
        let broadcast = broadcast(over: Gate(isOpen: false), buffer: RecordBuffer(limit: 64 << 10))
        let logger = Logger(label: "a") { BroadcastLogHandler(label: $0, to: broadcast) }
        for number in 1...50_000 { logger.info("\(number)") }
        #expect(await broadcast.shutdown(within: .milliseconds(50)) == 50_000)
    }

    @Test("how many were dropped is told in a record without a number, before those that came after them")
    func notice() async {
        let gate = Gate(isOpen: true)
        let buffer = RecordBuffer(limit: 64 << 10)
        // Twelve that are larger than the whole buffer.
        let long = LogRecord(.info, String(repeating: "x", count: 64 << 10), machine: "lb-1", logger: "a")
        for _ in 1...12 { buffer.append(long) }
        let broadcast = broadcast(over: gate, buffer: buffer)
        Logger(label: "a") { BroadcastLogHandler(label: $0, to: broadcast) }.info("after")
        await broadcast.shutdown(within: .seconds(60))
        let records = gate.sent.withLock { $0 }
        #expect(records.map(\.seq) == [0, 13])
        #expect(records.first?.metadata == ["dropped": "12"])
        #expect(records.first?.level == .warning)
        #expect(records.first?.machine == "lb-1")
        #expect(records.first?.pid == broadcast.pid)
    }

    @Test("metadata of the event win over the provider's, and those over the handler's; values are read at once")
    func metadata() async {
        final class Counter: CustomStringConvertible, Sendable {
            let count = Mutex(0)
            var description: String {
                count.withLock { count in
                    count += 1
                    return "\(count)"
                }
            }
        }
        let gate = Gate(isOpen: true)
        let broadcast = broadcast(over: gate)
        var logger = Logger(label: "a") {
            BroadcastLogHandler(
                label: $0, to: broadcast, level: .debug,
                metadataProvider: Logger.MetadataProvider { ["b": "provider", "c": "provider"] })
        }
        logger[metadataKey: "a"] = "handler"
        logger[metadataKey: "b"] = "handler"
        let counter = Counter()
        logger.debug(
            "x", metadata: ["c": "event", "d": .stringConvertible(counter), "e": [.stringConvertible(counter)]])
        logger.trace("not this")
        await broadcast.shutdown(within: .seconds(60))
        #expect(counter.count.withLock { $0 } == 2)
        let records = gate.sent.withLock { $0 }
        #expect(records.count == 1)
        #expect(records.first?.metadata.keys.sorted() == ["a", "b", "c", "d", "e"])
        #expect(records.first?.metadata["a"] == "handler")
        #expect(records.first?.metadata["b"] == "provider")
        #expect(records.first?.metadata["c"] == "event")
    }
}
