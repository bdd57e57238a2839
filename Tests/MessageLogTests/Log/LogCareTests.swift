import Checksums
import CivilTime
import ObjectStorage
import Synchronization
import TestServers
import Testing

@testable import MessageLog

@Suite struct LogCareTests {
    /// A log of ten segments with two messages each, whose store has a clock that the test moves.
    private struct Aged {
        let clock: Clock
        let store: InMemoryObjectStore
        let stand: LogStand

        init() async throws {
            let clock = Clock()
            self.clock = clock
            store = InMemoryObjectStore { clock.time }
            stand = try LogStand(store: store)
            for number in 1...10 {
                try await stand.append(["\(number)a", "\(number)b"])
                clock.advance(by: .seconds(3600))
            }
        }

        func numbers() async throws -> [UInt64] {
            try await store.list(ListQuery(prefix: "p/A/B/log/")).objects.compactMap {
                LogFolder.number($0.key.description.suffix(20))
            }
        }
    }

    private final class Clock: Sendable {
        private let state = Mutex(UTCTime(microseconds: 1_800_000_000_000_000))
        var time: UTCTime { state.withLock { $0 } }
        func advance(by duration: Duration) { state.withLock { $0 = $0.advanced(by: duration) } }
    }

    @Test("retention by age takes what is older by the store's clock, and numbers go on")
    func age() async throws {
        let aged = try await Aged()
        let trial = try await aged.stand.broker.retain(
            aged.stand.key, RetentionPolicy(maximumAge: .seconds(4 * 3600), isTrial: true))
        #expect(try await aged.numbers() == Array(1...10))
        let report = try await aged.stand.broker.retain(
            aged.stand.key, RetentionPolicy(maximumAge: .seconds(4 * 3600)))
        #expect(report.segments == trial.segments && report.messages == trial.messages)
        #expect(report.segments == 7 && report.messages == 14 && report.firstSequence == 15)
        #expect(report.bytes == 7 * (80 + 2 * 14))
        #expect(try await aged.numbers() == [8, 9, 10])
        #expect(try await aged.stand.texts() == ["8a", "8b", "9a", "9b", "10a", "10b"])
        #expect(try await aged.stand.append(["11"]).first == .sequence(21))
        #expect(try await aged.stand.broker.extent(of: aged.stand.key).firstSequence == 15)
    }

    @Test("retention leaves the newest segment and those of the last hour, whatever is asked for")
    func newest() async throws {
        let aged = try await Aged()
        try await aged.stand.append(["young"])
        try await aged.stand.append(["newest"])
        let policy = RetentionPolicy(maximumAge: .zero, maximumBytes: 0)
        #expect(try await aged.stand.broker.retain(aged.stand.key, policy).segments == 10)
        aged.clock.advance(by: .seconds(3601))
        #expect(try await aged.stand.broker.retain(aged.stand.key, policy).segments == 1)
        #expect(try await aged.stand.broker.retain(aged.stand.key, policy).segments == 0)
        #expect(try await aged.stand.texts() == ["newest"])
    }

    @Test("retention by size takes the oldest until the rest fits")
    func size() async throws {
        let aged = try await Aged()
        let report = try await aged.stand.broker.retain(
            aged.stand.key, RetentionPolicy(maximumBytes: 3 * (80 + 2 * 14) + 5))
        #expect(report.segments == 7)
        #expect(try await aged.numbers() == [8, 9, 10])
    }

    @Test("retention takes nothing that a cursor has not passed, unless it is told to; then its consumer hears of it")
    func cursors() async throws {
        let aged = try await Aged()
        let key = aged.stand.key
        try await aged.stand.broker.setCursor(ConsumerName("slow"), of: key, in: nil, to: .sequence(6))
        let policy = RetentionPolicy(maximumAge: .zero)
        let report = try await aged.stand.broker.retain(key, policy)
        #expect(report.segments == 2)
        #expect(try report.heldBackBy == ConsumerName("slow"))
        #expect(try await aged.stand.texts("slow").first == "3b")
        var forced = policy
        forced.passesCursors = true
        #expect(try await aged.stand.broker.retain(key, forced).segments == 7)
        let reader = try await aged.stand.reader("slow")
        await #expect {
            try await reader.next()
        } throws: { error in
            (error as? MessageLogError)?.code == .expired && "\(error)".contains("the oldest is 19")
        }
        await reader.close()
        try await aged.stand.broker.setCursor(ConsumerName("slow"), of: key, in: nil, to: .beginning)
        #expect(try await aged.stand.texts("slow") == ["10a", "10b"])
    }

    @Test("retention takes nothing that a cursor in a folder has not passed, when it is told of the folder")
    func cursorsInFolder() async throws {
        try await withTemporaryFolder { folder in
            let aged = try await Aged()
            let key = aged.stand.key
            try await aged.stand.broker.setCursor(ConsumerName("slow"), of: key, in: folder, to: .sequence(6))
            // A folder that several logs use: this one's cursor is no cursor of ours.
            let other = try LogStand(store: aged.store, prefix: "other")
            try await other.append(["1", "2"])
            try await other.broker.setCursor(ConsumerName("others"), of: key, in: folder, to: .sequence(2))
            let policy = RetentionPolicy(maximumAge: .zero)
            let report = try await aged.stand.broker.retain(key, policy, cursorsIn: folder)
            #expect(report.segments == 2)
            #expect(try report.heldBackBy == ConsumerName("slow"))
            #expect(try await aged.stand.broker.retain(key, policy).segments == 7)
            await aged.stand.broker.close()
        }
    }

    @Test("an open reader that fell behind retention is told so")
    func fellBehind() async throws {
        let elapsed = Elapsed()
        var environment = LogEnvironment.system
        environment.elapsed = { elapsed.now }
        let clock = Clock()
        let stand = try LogStand(store: InMemoryObjectStore { clock.time }, environment: environment)
        try await stand.appendSegments((1...30).map { ["\($0)"] })
        let reader = try await stand.reader("r", ReaderOptions(batchBytes: 1))
        #expect(try await reader.next().map(\.text) == ["1"])
        clock.advance(by: .seconds(7200))
        elapsed.advance(by: .seconds(60))
        let policy = RetentionPolicy(maximumAge: .zero, passesCursors: true)
        #expect(try await stand.broker.retain(stand.key, policy).segments == 29)
        await #expect {
            for _ in 0..<40 { _ = try await reader.next() }
        } throws: { ($0 as? MessageLogError)?.code == .expired }
    }

    private final class Elapsed: Sendable {
        private let state = Mutex(Duration.seconds(1000))
        var now: Duration { state.withLock { $0 } }
        func advance(by duration: Duration) { state.withLock { $0 += duration } }
    }

    @Test("cursors are listed, set, copied and deleted, beside the log and in a folder")
    func cursorCare() async throws {
        try await withTemporaryFolder { folder in
            let aged = try await Aged()
            let (broker, key) = (aged.stand.broker, aged.stand.key)
            let (a, b) = try (ConsumerName("a"), ConsumerName("b"))
            for place in [nil, "\(folder)/cursors"] {
                #expect(try await broker.cursors(of: key, in: place).isEmpty)
                #expect(try await broker.setCursor(a, of: key, in: place, to: .sequence(5)).waiting == 16)
                #expect(try await broker.copyCursor(a, to: b, of: key, in: place).next == .sequence(5))
                try await broker.setCursor(a, of: key, in: place, to: .end)
                let all = try await broker.cursors(of: key, in: place)
                #expect(all.map(\.name) == [a, b])
                #expect(all.map(\.next) == [.sequence(21), .sequence(5)])
                #expect(all.map(\.waiting) == [0, 16])
                var options = ReaderOptions()
                options.cursorFolder = place
                #expect(try await aged.stand.texts("b", options).first == "3a")
                try await broker.deleteCursor(b, of: key, in: place)
                for call in 0..<2 {
                    await #expect {
                        if call == 0 {
                            _ = try await broker.cursor(b, of: key, in: place)
                        } else {
                            try await broker.deleteCursor(b, of: key, in: place)
                        }
                    } throws: { ($0 as? MessageLogError)?.code == .notFound }
                }
                await #expect {
                    try await broker.setCursor(a, of: key, in: place, to: .sequence(22))
                } throws: { ($0 as? MessageLogError)?.code == .invalidArgument }
            }
            // A folder that two logs use by mistake.
            let other = try LogStand(prefix: "q")
            var options = ReaderOptions()
            options.cursorFolder = "\(folder)/cursors"
            let reader = try await other.reader("a", options)
            await #expect {
                try await reader.next()
            } throws: { ($0 as? MessageLogError)?.code == .invalidArgument }
        }
    }

    @Test("a cursor that is set while its consumer reads moves the consumer")
    func setWhileReading() async throws {
        let aged = try await Aged()
        let reader = try await aged.stand.reader("r", ReaderOptions(batchBytes: 1))
        let first = try await reader.next()
        try await aged.stand.broker.setCursor(ConsumerName("r"), of: aged.stand.key, in: nil, to: .sequence(19))
        await #expect {
            for message in first { try await reader.commit(through: message) }
        } throws: { ($0 as? MessageLogError)?.code == .leaseLost }
        #expect(try await aged.stand.read(reader).map(\.text) == ["10a", "10b"])
    }

    @Test("messages are found by time, also where senders' clocks are apart")
    func time() async throws {
        let stand = try LogStand()
        @Sendable func at(_ time: Int64) -> UTCTime { UTCTime(microseconds: time) }
        // A sender's clock is ahead for the third segment.
        for times in [[10, 11], [12, 9], [50, 20], [21], [60], [61, 5, 70]] as [[Int64]] {
            var batch = MessageBatch()
            for time in times { batch.append(Array("\(time)".utf8), at: at(time)) }
            var environment = LogEnvironment.system
            environment.now = { at(0) }
            let writer = try await LogStand(store: stand.store, environment: environment).broker.makeWriter(
                for: stand.key)
            try await writer.append(batch)
        }
        let expected: [(Int64, String?)] = [
            (0, "10"), (10, "10"), (11, "11"), (12, "12"), (13, "50"), (50, "50"), (51, "60"), (61, "61"), (62, "70"),
            (71, nil),
        ]
        for (time, first) in expected {
            #expect(try await stand.texts("t\(time)", ReaderOptions(start: .time(at(time)))).first == first, "\(time)")
        }
    }

    @Test("verifying finds what is damaged, missing, out of order or left over, and nothing in a sound log")
    func verify() async throws {
        let aged = try await Aged()
        func findings() async throws -> (VerificationReport, [String]) {
            let found = Mutex<[String]>([])
            let report = try await aged.stand.broker.verify(aged.stand.key) { finding in
                found.withLock { $0.append("\(finding.isSerious ? "!" : "") \(finding)") }
            }
            return (report, found.withLock { $0 })
        }
        var (report, found) = try await findings()
        #expect(found.isEmpty)
        #expect(report.segments == 10 && report.messages == 20 && report.expectedSegments == 10)
        #expect(report.bytes == 9 * 108 + 110)

        let folder = try aged.stand.folder
        for (number, offset) in [(2, 100), (4, 20)] as [(UInt64, Int)] {
            var bytes = try await aged.store.get(folder.segment(number)).bytes
            bytes[offset] ^= 1
            try await aged.store.put(folder.segment(number), bytes)
        }
        try await aged.store.delete(folder.segment(7))
        try await aged.store.put(folder.object("log/readme"), [1])
        try await aged.store.put(folder.segment(15), [1])
        try await aged.store.put(folder.object("cursors/odd"), Array("{}".utf8))
        (report, found) = try await findings()
        #expect(report.seriousFindings == 6 && report.otherFindings == 1)
        for text in [
            "002: its checksum", "004: its header", "007: it is missing",
            "011: it is missing, and so are all before 15", "015: its header", "cursors/odd",
        ] {
            #expect(found.contains { $0.hasPrefix("!") && $0.contains(text) }, "\(text) in \(found)")
        }
        #expect(found.contains { $0.hasPrefix(" ") && $0.contains("readme") })
    }

    @Test("a corrupt segment is named, and skipped only on request", arguments: [20, 100])
    func corrupt(offset: Int) async throws {
        let aged = try await Aged()
        let folder = try aged.stand.folder
        let object = try folder.segment(3)
        var bytes = try await aged.store.get(object).bytes
        bytes[offset] ^= 0x80
        try await aged.store.put(object, bytes)
        let reader = try await aged.stand.reader("r")
        #expect(try await reader.next().count == 2)
        #expect(try await reader.next().count == 2)
        for _ in 0..<2 {
            await #expect {
                try await reader.next()
            } throws: { error in
                (error as? MessageLogError)?.code == .corrupt && "\(error)".contains("\(object)")
            }
        }
        await reader.close()
        let messages = try await aged.stand.read(
            try await aged.stand.reader("s", ReaderOptions(skipsCorrupt: true)), commits: true)
        #expect(messages.count == 18)
        #expect(messages[4].position == .sequence(7))
        // A number within what is damaged leads there.
        for start in [4, 5, 6, 7] as [UInt64] {
            let options = ReaderOptions(start: .sequence(start), skipsCorrupt: true)
            #expect(try await aged.stand.texts("s\(start)", options).first == (start == 4 ? "2b" : "4a"))
        }
    }

    @Test("writers go on behind a last segment whose header is damaged, with numbers that it cannot have used")
    func damagedEnd() async throws {
        let aged = try await Aged()
        let object = try aged.stand.folder.segment(10)
        var bytes = try await aged.store.get(object).bytes
        bytes[3] ^= 1
        try await aged.store.put(object, bytes)
        #expect(try await aged.stand.append(["11"]).first == .sequence(21))
        let messages = try await aged.stand.read(
            try await aged.stand.reader("s", ReaderOptions(skipsCorrupt: true)))
        #expect(messages.map(\.text).suffix(2) == ["9b", "11"])
    }

    @Test("a segment of a later version is refused, not skipped or written behind")
    func version() async throws {
        let aged = try await Aged()
        let object = try aged.stand.folder.segment(10)
        let bytes = try await aged.store.get(object).bytes
        var header = try #require(bytes.withUnsafeBytes { SealedFields($0, count: SegmentHeader.byteCount) })
        header[8] = UInt32(2)
        header.seal()
        try await aged.store.put(object, header.bytes + bytes[SegmentHeader.byteCount...])
        for call in 0..<2 {
            await #expect {
                if call == 0 {
                    try await aged.stand.append(["11"])
                } else {
                    _ = try await aged.stand.texts("s", ReaderOptions(skipsCorrupt: true))
                }
            } throws: { ($0 as? MessageLogError)?.code == .laterVersion }
        }
    }
}
