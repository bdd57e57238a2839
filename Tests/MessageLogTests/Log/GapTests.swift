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

    @Test("missing segments are passed over by readers told so")
    func skipping() async throws {
        try await fill(9, without: 2, 3, 4, 8)
        #expect(try await stand.texts("a", ReaderOptions(skipsCorrupt: true)) == ["1", "5", "6", "7", "9"])
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
        #expect(try await stand.folder.lookAhead(of: 2) == .removed(stand.folder.start()))
        #expect(try await stand.folder.lookAhead(of: 13) == .nothing)
        #expect(try await stand.texts().count == 9)
        try await stand.folder.checkRemoved(3)
    }

    @Test("a reader at the end looks ahead once, and not with each poll")
    func polling() async throws {
        let counting = EditedStore()
        let stand = try LogStand(store: counting)
        try await stand.append(["1"])
        let reader = try await stand.reader()
        #expect(try await stand.read(reader).count == 1)
        let before = counting.count
        for _ in 1...10 { #expect(try await reader.next().isEmpty) }
        #expect(counting.count - before == 10)
        await reader.close()
    }
}
