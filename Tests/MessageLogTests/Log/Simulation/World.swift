import CivilTime
import Logging
import ObjectStorage
import Synchronization
import Testing

@testable import MessageLog

/// Processes that use one key's log in one store, in simulated time.
final class World: Sendable {
    let time: SimulatedTime
    let base: InMemoryObjectStore
    let shared: FaultyStore.Shared
    let ledger = Ledger()
    /// Behind which message each consumer's cursor has to be.
    private let committed = Mutex<[String: UInt64]>([:])
    /// What a follower was given, in order.
    let followed = Mutex<[Message]>([])

    init(seed: UInt64, rates: FaultRates) {
        let time = SimulatedTime(seed: seed)
        self.time = time
        base = InMemoryObjectStore { time.wall }
        shared = FaultyStore.Shared(rates)
    }

    private func folder(_ store: any ObjectStore, clockSteps: Bool = true) throws -> LogFolder {
        try LogFolder(
            store: store, prefix: "p", key: RoutingKey("A.B"), environment: time.environment(clockSteps: clockSteps))
    }

    private func reader(_ name: String, on store: any ObjectStore) throws -> LogReader {
        let folder = try folder(store)
        let shelf = CursorShelf(
            store: store, path: folder.path + "cursors/", log: "log", environment: folder.environment)
        return LogReader(
            folder: folder, options: ReaderOptions(batchBytes: 200), log: LogOptions(),
            cursor: try shelf.cursor(ConsumerName(name)),
            lease: try StoreLease(folder: folder, name: name, logger: quiet),
            logger: quiet, prepare: {})
    }

    // MARK: Those who take part

    /// Appends batches, process after process, some of them by two tasks at a time, until the time is over.
    func produce(_ name: String, for duration: Duration, pause: Duration = .milliseconds(800)) async {
        var life = 0
        while time.elapsed < duration {
            life += 1
            let store = FaultyStore(base, time: time, shared: shared)
            let options = LogOptions(
                appendDeadline: .milliseconds(200 + time.draw(20_000)), segmentBytes: time.chance(3) ? 40 : 8 << 20)
            do {
                let writer = LogWriter(
                    folder: try folder(store), options: options, logger: quiet, prepare: {})
                let tasks = time.draw(2) + 1
                let end = min(duration, time.elapsed + .seconds(5) + time.draw(pause * 40))
                await withTaskGroup(of: Void.self) { group in
                    for task in 0..<tasks {
                        let source = "\(name).\(life).\(task)"
                        group.addTask { await self.append(source, to: writer, on: store, until: end, pause) }
                    }
                    group.addTask {
                        while self.time.elapsed < end { try? await self.time.sleep(end - self.time.elapsed) }
                        store.kill()
                    }
                }
            } catch {
                Issue.record(error)
            }
        }
    }

    private func append(
        _ source: String, to writer: LogWriter, on store: FaultyStore, until end: Duration, _ pause: Duration
    ) async {
        var number = 0
        while time.elapsed < end, store.isAlive {
            let texts = (0...time.draw(3)).map { "\(source):\(number + $0)" }
            number += texts.count
            ledger.send(texts)
            let batch = batch(texts, at: time.wall)
            while store.isAlive {
                let task = Task(executorPreference: time) {
                    await outcome { () throws(MessageLogError) in try await writer.append(batch) }
                }
                if time.chance(15) {
                    let delay = time.draw(.milliseconds(100))
                    time.spawn {
                        try? await self.time.sleep(delay)
                        task.cancel()
                    }
                }
                switch await task.value {
                case .success(let receipt):
                    let first = receipt.first == receipt.last
                    ledger.acknowledge(texts, receipt, isSplit: !first && texts.count > 1 && isSplit(receipt, texts))
                case .failure(let error):
                    // Its process is gone, or it calls again with the same batch.
                    if error.isRetriable || error.code == .cancelled {
                        try? await time.sleep(time.draw(.seconds(1)))
                        continue
                    }
                    #expect(error.code == .closed, "\(error)")
                }
                break
            }
            try? await time.sleep(time.draw(pause))
        }
    }

    /// Whether others came in between, as can be with a batch of several segments.
    private func isSplit(_ receipt: AppendReceipt, _ texts: [String]) -> Bool {
        guard case .sequence(let first) = receipt.first, case .sequence(let last) = receipt.last else { return false }
        return last - first + 1 != UInt64(texts.count)
    }

    /// Reads, handles and commits, process after process: each is killed at some point.
    func consume(_ name: String, for duration: Duration) async {
        while time.elapsed < duration {
            let store = FaultyStore(base, time: time, shared: shared)
            let life = time.draw(.seconds(30))
            time.spawn {
                try? await self.time.sleep(life)
                store.kill()
            }
            do {
                let reader = try reader(name, on: store)
                // A process that is killed waits for nothing; this one's waits have to end for the simulation to go on.
                let task = Task(executorPreference: time) {
                    await self.consume(name, with: reader, on: store, duration)
                }
                while store.isAlive, time.elapsed < duration { try? await time.sleep(.milliseconds(500)) }
                store.kill()
                task.cancel()
                await task.value
            } catch {
                Issue.record(error)
            }
        }
    }

    private func consume(
        _ name: String, with reader: LogReader, on store: FaultyStore, _ duration: Duration
    ) async {
        while store.isAlive, time.elapsed < duration {
            do throws(MessageLogError) {
                let messages = try await reader.next()
                guard store.isAlive else { return }
                ledger.handle(messages, by: name)
                if time.chance(10) { try await reader.rewind() }
                if messages.isEmpty {
                    try await reader.waitForMore(atMost: .seconds(1))
                } else if time.chance(2) {
                    let upTo = messages[time.draw(messages.count)]
                    try await reader.commit(through: upTo)
                    await checkCursor(name, behind: upTo)
                }
            } catch {
                let isExpected = error.isRetriable || [.leaseLost, .closed, .cancelled, .corrupt].contains(error.code)
                #expect(isExpected, "\(error)")
                try? await time.sleep(time.draw(.milliseconds(300)))
            }
        }
    }

    /// Whoever has committed what: a cursor never goes back, also when one that was deposed writes late.
    private func checkCursor(_ name: String, behind message: Message) async {
        guard case .sequence(let sequence) = message.position else { return }
        let least = committed.withLock { committed in
            committed[name] = max(committed[name] ?? 0, sequence + 1)
            return committed[name] ?? 0
        }
        do {
            let folder = try folder(base)
            let shelf = CursorShelf(
                store: base, path: folder.path + "cursors/", log: "log", environment: folder.environment)
            let stands = try await shelf.cursor(ConsumerName(name)).read()?.state.sequence ?? 0
            #expect(stands >= least, "the cursor of \(name) has gone back")
        } catch {
            Issue.record(error)
        }
    }

    /// Has the store be away for some seconds, twice.
    func beAway() async {
        for _ in 0..<2 {
            try? await time.sleep(.seconds(10) + time.draw(.seconds(10)))
            shared.awayUntil.withLock { $0 = time.elapsed + .seconds(6) }
        }
    }

    /// Reads with a store without faults, every ten minutes.
    func follow(_ name: String, for duration: Duration) async {
        while time.elapsed < duration {
            do {
                // A lease that is held is renewed all day; one that is given back is not.
                let reader = try reader(name, on: base)
                while case let messages = try await reader.next(), let last = messages.last {
                    followed.withLock { $0 += messages }
                    try await reader.commit(through: last)
                }
                await reader.close()
                try await time.sleep(.seconds(600))
            } catch {
                Issue.record(error)
            }
        }
    }

    func retain(_ policy: RetentionPolicy) async throws(MessageLogError) -> RetentionReport {
        let folder: LogFolder
        do {
            folder = try self.folder(base)
        } catch {
            throw MessageLogError(.invalidArgument, "\(error)")
        }
        let shelf = CursorShelf(
            store: base, path: folder.path + "cursors/", log: "log", environment: folder.environment)
        return try await Retention(folder: folder, shelves: [shelf], policy: policy).run()
    }

    // MARK: Afterwards

    /// Lets what is late arrive, lets the consumers read the rest, and checks everything.
    func settleAndCheck(consumers: [String]) async throws {
        shared.rates.withLock { $0 = .none }
        try await time.sleep(.seconds(120))
        for name in consumers {
            let reader = try reader(name, on: base)
            while case let messages = try await reader.next(), let last = messages.last {
                ledger.handle(messages, by: name)
                try await reader.commit(through: last)
            }
            await reader.close()
        }
        ledger.check(try await log())
        try await checkObjects()
    }

    /// All messages, as they stand in the store.
    func log() async throws -> [Message] {
        let folder = try folder(base)
        var messages: [Message] = []
        var number: UInt64 = 1
        while case .segment(let segment) = try await folder.fetch(number) {
            var place = segment.start
            messages += segment.take(from: &place, bytes: .max, count: .max, key: folder.key)
            number += 1
        }
        return messages
    }

    /// Segments have no gaps, and their times never go back.
    private func checkObjects() async throws {
        let folder = try folder(base)
        var listing = ObjectListing(folder, prefix: "log/")
        var number: UInt64 = 0
        var time = UTCTime(microseconds: 0)
        while let info = try await listing.next() {
            number += 1
            #expect(try info.key == folder.segment(number))
            guard case .intact(let header) = try await folder.header(number) else {
                Issue.record("segment \(number) is damaged")
                continue
            }
            #expect(header.time >= time)
            time = header.time
        }
    }
}
