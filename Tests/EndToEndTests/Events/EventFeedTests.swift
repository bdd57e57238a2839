import Logging
import MessageLog
import ObjectStorage
import Synchronization
import SystemPackage
import Testing
import TestServers

@testable import LibraWorker

extension EndToEnd {
    @Suite("The way of events to a store", .timeLimit(.minutes(2)))
    struct EventFeedTests {
        /// What is logged, in words.
        private final class Log: LogHandler {
            let lines = Mutex<[String]>([])
            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { nil }
                set {}
            }
            var metadata: Logger.Metadata {
                get { [:] }
                set {}
            }
            var logLevel: Logger.Level {
                get { .trace }
                set {}
            }

            func log(event: LogEvent) { lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") } }
        }

        @Test("what waits for a store that never answers stays within its bounds, and what is lost is told")
        func bounds() async throws {
            try await withTemporaryFolder { folder in
                // It takes connections, and nothing else.
                let relay = try TCPRelay(to: 1, behaviour: .blackHole)
                let log = Log()
                let logger = Logger(label: "test", factory: { _ in log })
                let url = try BrokerURL(
                    "s3://bucket?endpoint=http://127.0.0.1:\(relay.port)&path-style=true&region=x")
                let broker = try url.open(
                    BrokerOpening(
                        credentials: .fixed(S3Credentials(accessKeyID: "key", secretAccessKey: "secret")),
                        logger: logger))
                var options = ProducerOptions(logger: logger)
                options.batching.interval = .zero
                options.spooling = .always
                options.spoolFolder = FilePath(folder).appending("spool")
                (options.spoolLimit, options.batching.bytes) = (1 << 20, 128 << 10)
                options.patience = .milliseconds(100)
                let producer = try ConcurrentProducer(routingKey: "Libra.x", brokers: [broker], options: options)
                let feed = EventFeed(to: producer, queue: EventQueue(host: "x"), logger: logger)
                let error = String(repeating: "x", count: 1000)
                for round in 1...20 {
                    for _ in 0..<100 { feed.tell(WorkerEvent(.start, error: error)) }
                    try await eventually("the events of round \(round)") {
                        let counts = await producer.counts[0]
                        return counts.spooled + counts.refused == UInt64(round * 100)
                    }
                }
                let counts = await producer.counts[0]
                #expect(counts.spooled > 100)
                #expect(counts.refused > 100)
                #expect(log.lines.withLock { $0.contains { $0.hasPrefix("events are lost") } })
                let (_, size) = try await run("du", ["-sb", "\(folder)/spool"])
                let bytes = try #require(size.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) })
                // Folders and the files beside the segments have some bytes, too.
                #expect(bytes < (1 << 20) + (64 << 10), "\(size)")
                await feed.shutdown(within: .seconds(1))
                await broker.close()
                relay.close()
            }
        }
    }
}
