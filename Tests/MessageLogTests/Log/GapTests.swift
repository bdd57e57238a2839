import CivilTime
import ObjectStorage
import Testing

@testable import MessageLog

/// A segment that somebody took out of the middle of a log.
@Suite(.timeLimit(.minutes(1))) struct GapTests {
    private let store = InMemoryObjectStore()
    private let stand: LogStand

    init() throws { stand = try LogStand(store: store) }

    /// A log of segments with a message each, without some of them.
    private func fill(_ count: Int, without missing: Int...) async throws {
        try await stand.appendSegments((1...count).map { ["\($0)"] })
        for number in missing { try await store.delete(stand.folder.segment(UInt64(number))) }
    }

    private func isMissing(_ number: Int, _ error: any Error) -> Bool {
        code(error) == .corrupt && "\(error)".contains("\(number)") && "\(error)".contains("missing")
    }

    @Test("a consumer does not take a missing segment for the end, and names it")
    func reading() async throws {
        try await fill(6, without: 4)
        let reader = try await stand.reader()
        for _ in 1...3 { #expect(try await reader.next().count == 1) }
        for _ in 1...2 { await #expect { try await reader.next() } throws: { isMissing(4, $0) } }
        await reader.close()
        // A new one, too, whose cursor stands just there.
        let again = try await stand.reader()
        #expect(try await again.next().map(\.text) == ["1"])
        await again.close()
    }

    @Test("a consumer finds a gap that only a listing tells of")
    func listed() async throws {
        // None of those looked for is there: 4 + 1, 4 + 4, 4 + 16 and so on.
        try await fill(7, without: 4, 5, 6)
        let reader = try await stand.reader()
        for _ in 1...3 { #expect(try await reader.next().count == 1) }
        await #expect { try await reader.next() } throws: { isMissing(4, $0) }
        await reader.close()
    }

    @Test("where the oldest segments were taken away, however many, nobody begins anew or sees an empty log")
    func oldest() async throws {
        try await stand.appendSegments((1...300).map { ["\($0)"] })
        for number in 1...270 as ClosedRange<UInt64> { try await store.delete(stand.folder.segment(number)) }
        await #expect { try await stand.append(["new"]) } throws: { isMissing(1, $0) }
        #expect(try await store.list(ListQuery(prefix: "p/A/B/log/")).objects.count == 30)
        await #expect { try await stand.texts() } throws: { isMissing(1, $0) }
        await #expect { try await stand.texts("s", ReaderOptions(start: .sequence(1))) } throws: { isMissing(1, $0) }
        #expect(try await stand.broker.extent(of: stand.key).nextSequence == 301)
        #expect(try await stand.texts("t", ReaderOptions(skipsCorrupt: true)).first == "271")
        // Who says where the log starts now has it go on.
        try await store.put(stand.folder.object("start"), LogStart(segment: 271, sequence: 271).json)
        #expect(try await stand.append(["301"]).first == .sequence(301))
        #expect(try await stand.texts("another").count == 31)
    }

    @Test("a consumer that may not list goes on without")
    func notListable() async throws {
        let store = EditedStore(refusesLists: true)
        let stand = try LogStand(store: store)
        let reader = try await stand.reader()
        #expect(try await reader.next().isEmpty)
        try await LogStand(store: store.base).append(["1"])
        #expect(try await stand.read(reader).map(\.text) == ["1"])
        await reader.close()
    }

    @Test("a writer that may not list does not begin anew where the oldest segments may have been taken away")
    func writerNotListable() async throws {
        let store = EditedStore(refusesLists: true)
        let stand = try LogStand(store: store)
        let other = try LogStand(store: store.base)
        try await other.appendSegments((1...7).map { ["\($0)"] })
        // None of those looked for is there: 1 + 1, 1 + 4, 1 + 16 and so on.
        for number in 1...6 as ClosedRange<UInt64> { try await store.base.delete(other.folder.segment(number)) }
        await #expect { try await stand.append(["new"]) } throws: { code($0) == .denied }
        #expect(try await store.base.list(ListQuery(prefix: "p/A/B/log/")).objects.count == 1)
    }

    @Test("missing segments are passed over by readers told so")
    func skipping() async throws {
        try await fill(9, without: 2, 3, 4, 8)
        #expect(try await stand.texts("a", ReaderOptions(skipsCorrupt: true)) == ["1", "5", "6", "7", "9"])
    }

    @Test("a long gap that a listing tells of is passed over at once")
    func longGap() async throws {
        let store = EditedStore()
        let stand = try LogStand(store: store)
        try await stand.appendSegments((1...300).map { ["\($0)"] })
        for number in 2...299 as ClosedRange<UInt64> { try await store.base.delete(stand.folder.segment(number)) }
        let before = store.count
        #expect(try await stand.texts("a", ReaderOptions(skipsCorrupt: true)) == ["1", "300"])
        #expect(store.count - before < 60)
    }

    @Test("searches for a number and a time end with the missing segment's name")
    func searching() async throws {
        try await fill(40, without: 11)
        let past = UTCTime(microseconds: 0)
        await #expect { try await stand.texts("a", ReaderOptions(start: .sequence(12))) } throws: { isMissing(11, $0) }
        await #expect { try await stand.texts("b", ReaderOptions(start: .time(past))) } throws: { isMissing(11, $0) }
        // What does not come by there is found, and so is the end.
        #expect(try await stand.broker.extent(of: stand.key).nextSequence == 41)
        #expect(try await stand.reader("c", ReaderOptions(start: .sequence(35))).next().map(\.text) == ["35"])
    }

    @Test("a writer does not put a segment where one is missing")
    func writing() async throws {
        try await fill(12, without: 7)
        await #expect { try await stand.append(["new"]) } throws: { isMissing(7, $0) }
        #expect(try await store.list(ListQuery(prefix: "p/A/B/log/")).objects.count == 11)
    }

    @Test("what retention removed while it was looked for is not missing")
    func retention() async throws {
        try await fill(12, without: 1, 2, 3)
        let object = try stand.folder.object("start")
        try await store.put(object, LogStart(segment: 4, sequence: 4).json)
        #expect(try await stand.folder.lookAhead(of: 2, lists: true) == .removed(stand.folder.start()))
        #expect(try await stand.folder.lookAhead(of: 13, lists: true) == .nothing)
        #expect(try await stand.texts().count == 9)
        try await stand.folder.checkRemoved(3)
    }

    @Test("a reader at the end looks ahead once, and not with each poll")
    func polling() async throws {
        let counting = EditedStore()
        // No lease is renewed, however long this takes.
        var environment = LogEnvironment.system
        environment.sleep = { _ in while true { try await Task.sleep(for: .seconds(1000)) } }
        let stand = try LogStand(store: counting, environment: environment)
        try await stand.append(["1"])
        let reader = try await stand.reader()
        #expect(try await stand.read(reader).count == 1)
        let before = counting.count
        for _ in 1...10 { #expect(try await reader.next().isEmpty) }
        #expect(counting.count - before == 10)
        await reader.close()
    }
}
