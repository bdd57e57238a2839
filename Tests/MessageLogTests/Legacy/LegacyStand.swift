import CivilTime
import ObjectStorage
import Synchronization
import Testing

@testable import MessageLog

/// A store in memory, and a time that passes when a test says so: that of the store and of all who use it.
final class LegacyStand: Sendable {
    let store: TroubledStore
    let clock = ScriptedClock()
    private let time: SharedTime

    init(_ time: String = "2026-11-21T01:23:45.678901", isConditional: Bool = true) throws {
        let time = SharedTime(try #require(UTCTime(time)))
        self.time = time
        store = TroubledStore(InMemoryObjectStore(now: { time.now }), isConditional: isConditional)
    }

    var now: UTCTime { time.now }

    func advance(_ duration: Duration) {
        time.advance(duration)
        clock.advance(duration)
    }

    /// A broker on the store, of a process that has this clock error, or that does nothing by itself any more, as one that
    /// has crashed: no lease is renewed.
    func broker(
        _ options: LegacyOptions = LegacyOptions(), clockError: Duration = .zero, isStopped: Bool = false
    ) throws -> LegacyBroker {
        let (time, clock) = (time, clock)
        let environment = LogEnvironment(
            now: { time.now.advanced(by: clockError) }, elapsed: clock.consumerClock.now,
            sleep: { duration in
                try await Task.sleep(for: isStopped ? .seconds(3600) : .milliseconds(2))
                clock.advance(duration)
            },
            random: { .random(in: .min ... .max) }, executor: nil)
        return try LegacyBroker(store: store, prefix: "p", options: options, logger: .quiet, environment: environment)
    }

    /// Puts an object where the old library would.
    func put(_ name: String, _ body: String, in folder: String = "A/B") async throws {
        try await store.put(ObjectKey("p/\(folder)/\(name)"), Array(body.utf8))
    }

    /// Stores messages by a writer of its own.
    func send(_ bodies: [String], to key: String = "A.B", by broker: LegacyBroker? = nil) async throws {
        let writer = try await (broker ?? self.broker()).makeWriter(for: RoutingKey(key))
        try await writer.append(MessageBatch(bodies))
        await writer.close()
    }

    /// All that is there for a consumer, handled and committed.
    func consume(
        _ pattern: String = "A.B", name: String = "default", options: ReaderOptions = ReaderOptions(),
        by broker: LegacyBroker? = nil
    ) async throws -> [String] {
        let notebook = Notebook()
        try await Consumer(
            Subscription(
                pattern, name: name, at: .broker(broker ?? self.broker()),
                options: ConsumerOptions(reading: options, retry: .never), logger: .quiet, clock: clock.consumerClock),
            handler: .each { notebook.note($0.text) }
        ).consume()
        return notebook.all
    }

    /// The names of all objects below a folder.
    func names(in folder: String = "A/B") async throws -> [String] {
        let prefix = "p/\(folder)/"
        var names: [String] = []
        var query = ListQuery(prefix: prefix)
        while true {
            let page = try await store.list(query)
            names += page.objects.map { String($0.key.description.dropFirst(prefix.count)) }
            guard let next = page.next else { return names }
            query.startAfter = next
        }
    }
}

private final class SharedTime: Sendable {
    private let time: Mutex<UTCTime>

    init(_ time: UTCTime) { self.time = Mutex(time) }

    var now: UTCTime { time.withLock { $0 } }

    func advance(_ duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
}

extension UTCTime {
    func advanced(by duration: Duration) -> UTCTime {
        UTCTime(microseconds: microseconds + Int64(duration / .microseconds(1)))
    }
}

extension MessageBatch {
    init(_ bodies: [String], at time: UTCTime = UTCTime(microseconds: 0)) {
        self.init()
        for body in bodies { append(Array(body.utf8), at: time) }
    }
}
