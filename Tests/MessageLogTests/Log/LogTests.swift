import CivilTime
import Logging
import ObjectStorage
import Testing

@testable import MessageLog

/// A log with a writer, and what tests do with it.
struct LogStand {
    let store: any ObjectStore
    let broker: LogBroker
    let key: RoutingKey

    init(
        store: any ObjectStore = InMemoryObjectStore(), prefix: String = "p", key: String = "A.B",
        options: LogOptions = LogOptions(),
        environment: LogEnvironment = .system
    ) throws {
        self.store = store
        self.key = try RoutingKey(key)
        broker = try LogBroker(
            store: store, prefix: prefix, options: options, logger: quiet, environment: environment)
    }

    var folder: LogFolder { get throws { try broker.folder(of: key) } }

    /// Appends messages with one call.
    @discardableResult
    func append(_ bodies: [String], by writer: (any MessageWriter)? = nil) async throws -> AppendReceipt {
        let own = try await broker.makeWriter(for: key)
        return try await (writer ?? own).append(batch(bodies))
    }

    /// Appends a segment for each.
    func appendSegments(_ bodies: [[String]]) async throws {
        let writer = try await broker.makeWriter(for: key)
        for some in bodies { try await writer.append(batch(some)) }
    }

    func reader(_ name: String = "c", _ options: ReaderOptions = ReaderOptions()) async throws -> any MessageReader {
        try await broker.makeReader(of: RoutingPattern(key), for: ConsumerName(name), options: options)
    }

    /// Reads what there is, and commits it if asked to.
    func read(_ reader: any MessageReader, commits: Bool = false) async throws -> [Message] {
        var all: [Message] = []
        while true {
            let some = try await reader.next()
            guard let last = some.last else { return all }
            all += some
            if commits { try await reader.commit(through: last) }
        }
    }

    /// What a new consumer gets.
    func texts(_ name: String = "new", _ options: ReaderOptions = ReaderOptions()) async throws -> [String] {
        let reader = try await reader(name, options)
        let texts = try await read(reader).map(\.text)
        await reader.close()
        return texts
    }
}

/// Says nothing: what is tried again and taken over on purpose would fill the tests' output.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

func batch(_ bodies: [String], at time: UTCTime = UTCTime(microseconds: 1_000_000)) -> MessageBatch {
    var batch = MessageBatch()
    for body in bodies { batch.append(Array(body.utf8), at: time) }
    return batch
}

@Suite struct LogTests {
    @Test("what several writers append is read in one order, with contiguous numbers")
    func order() async throws {
        let stand = try LogStand()
        let writers = [
            try await stand.broker.makeWriter(for: stand.key), try await stand.broker.makeWriter(for: stand.key),
        ]
        #expect(
            try await stand.append(["1", "2"], by: writers[0])
                == AppendReceipt(first: .sequence(1), last: .sequence(2)))
        #expect(try await stand.append(["3"], by: writers[1]) == AppendReceipt(first: .sequence(3), last: .sequence(3)))
        // It has not seen the last one.
        #expect(
            try await stand.append(["4", "5"], by: writers[0])
                == AppendReceipt(first: .sequence(4), last: .sequence(5)))
        for name in ["a", "b"] {
            let messages = try await stand.read(try await stand.reader(name))
            #expect(messages.map(\.text) == ["1", "2", "3", "4", "5"])
            #expect(messages.map(\.position) == (1...5).map { .sequence($0) })
        }
    }

    @Test("a consumer goes on behind what it committed, and gets the rest again")
    func commit() async throws {
        let stand = try LogStand()
        try await stand.appendSegments([["1", "2", "3"], ["4"], ["5", "6"]])
        let first = try await stand.reader()
        let messages = try await stand.read(first)
        #expect(messages.map(\.text) == ["1", "2", "3", "4", "5", "6"])
        try await first.commit(through: messages[1])
        try await first.rewind()
        #expect(try await stand.read(first).map(\.text) == ["3", "4", "5", "6"])
        try await first.commit(through: messages[3])
        await first.close()
        let second = try await stand.reader()
        #expect(try await stand.read(second, commits: true).map(\.text) == ["5", "6"])
        await second.close()
        let third = try await stand.reader()
        #expect(try await stand.read(third).isEmpty)
        try await stand.append(["7"])
        #expect(try await stand.read(third).map(\.text) == ["7"])
    }

    @Test("a consumer begins where its options say, and later where it was")
    func starts() async throws {
        let stand = try LogStand()
        try await stand.appendSegments((1...40).map { ["\($0)a", "\($0)b"] })
        for sequence in 1...81 as ClosedRange<UInt64> {
            let options = ReaderOptions(start: .sequence(sequence))
            let texts = try await stand.texts("s\(sequence)", options)
            #expect(texts.count == Int(81 - sequence))
            #expect(texts.first == (sequence == 81 ? nil : "\((sequence + 1) / 2)\(sequence % 2 == 1 ? "a" : "b")"))
        }
        await #expect { try await stand.texts("far", ReaderOptions(start: .sequence(82))) } throws: {
            ($0 as? MessageLogError)?.code == .invalidArgument
        }
        // It begins at the end, is gone before its first commit, and still gets what came since then.
        #expect(try await stand.texts("end", ReaderOptions(start: .end)).isEmpty)
        try await stand.append(["new"])
        #expect(try await stand.texts("end", ReaderOptions(start: .end)) == ["new"])
        #expect(try await stand.texts("end", ReaderOptions(start: .end, ignoresCursor: true)).isEmpty)
        #expect(try await stand.texts("s80", ReaderOptions(start: .beginning, ignoresCursor: true)).count == 81)
    }

    @Test("a batch that is longer than a segment takes several, and each message stays whole")
    func split() async throws {
        let stand = try LogStand(options: LogOptions(segmentBytes: 100))
        let bodies = (0..<50).map { String(repeating: "x", count: $0 * 4) }
        #expect(
            try await stand.append(bodies) == AppendReceipt(first: .sequence(1), last: .sequence(50)))
        #expect(try await stand.texts() == bodies)
        #expect(try await stand.folder.hasSegment(30))
    }

    @Test("calls that come while a segment is put go into the next one together")
    func together() async throws {
        let stand = try LogStand()
        let writer = try await stand.broker.makeWriter(for: stand.key)
        let receipts = try await withThrowingTaskGroup(of: (Int, AppendReceipt).self) { group in
            for number in 0..<200 {
                group.addTask { (number, try await writer.append(batch(["\(number)a", "\(number)b"]))) }
            }
            return try await group.reduce(into: [Int: AppendReceipt]()) { $0[$1.0] = $1.1 }
        }
        let texts = try await stand.texts()
        for (number, receipt) in receipts {
            guard case .sequence(let first) = receipt.first, case .sequence(let last) = receipt.last else {
                Issue.record("no numbers")
                continue
            }
            #expect(last == first + 1 && Array(texts[Int(first) - 1..<Int(last)]) == ["\(number)a", "\(number)b"])
        }
        #expect(texts.count == 400)
    }

    @Test("keys are found by their folders, and by patterns")
    func keys() async throws {
        let stand = try LogStand(prefix: "x/y")
        for key in ["A", "A.B", "A.B.C", "D.B"] {
            try await LogStand(store: stand.store, prefix: "x/y", key: key).append(["1"])
        }
        try await LogStand(store: stand.store, prefix: "x", key: "Z").append(["1"])
        func found(_ pattern: String) async throws -> [String] {
            try await stand.broker.keys(matching: RoutingPattern(pattern)).map(\.description)
        }
        #expect(try await found("#") == ["A", "A.B", "A.B.C", "D.B"])
        #expect(try await found("*.b") == ["A.B", "D.B"])
        #expect(try await found("a.#") == ["A", "A.B", "A.B.C"])
        #expect(try await found("a.b") == ["A.B"])
        #expect(try await found("a.c").isEmpty)
        #expect(try await found("b.#").isEmpty)
    }

    @Test("two readers of one name take turns")
    func lease() async throws {
        let stand = try LogStand()
        try await stand.append(["1"])
        let first = try await stand.reader()
        let second = try await stand.reader()
        #expect(try await first.takeLease())
        #expect(try await !second.takeLease())
        #expect(try await stand.read(first, commits: true).map(\.text) == ["1"])
        await first.close()
        #expect(try await second.takeLease())
        #expect(try await stand.read(second).isEmpty)
        await #expect { try await first.next() } throws: { ($0 as? MessageLogError)?.code == .closed }
    }
}
