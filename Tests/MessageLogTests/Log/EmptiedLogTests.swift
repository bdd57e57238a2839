import ObjectStorage
import Synchronization
import Testing

@testable import MessageLog

/// A log that somebody emptied, so that it begins anew, and cursors that still stand where it was.
@Suite(.timeLimit(.minutes(1))) struct EmptiedLogTests {
    private let store = InMemoryObjectStore()

    /// Deletes what a log has, but not its cursors.
    private func empty(_ stand: LogStand) async throws {
        for info in try await store.list(ListQuery(prefix: "p/A/B/log/")).objects { try await store.delete(info.key) }
    }

    private func isBeyond(_ error: any Error, end: Int, next: Int) -> Bool {
        let words = "ends before message \(end), and \(next) was to come next"
        return code(error) == .expired && "\(error)".contains(words)
            && "\(error)".contains("muskrat cursors set A.B beginning")
    }

    @Test(
        "a consumer whose message is behind the end says so, wherever the segment of its cursor lies",
        arguments: [1, 3, 4, 7, 20])
    func begunAnew(segments: Int) async throws {
        let stand = try LogStand(store: store)
        try await stand.appendSegments((1...5).map { part in (1...20).map { "\(part).\($0)" } })
        let reader = try await stand.reader()
        #expect(try await stand.read(reader, commits: true).count == 100)
        await reader.close()
        try await empty(stand)
        try await stand.appendSegments((1...segments).map { ["new \($0)"] })
        for _ in 1...2 {
            let again = try await stand.reader()
            await #expect { try await stand.read(again, commits: true) } throws: {
                isBeyond($0, end: segments + 1, next: 101)
            }
            await again.close()
        }
        let name = try ConsumerName("c")
        #expect(try await stand.broker.cursor(name, of: stand.key, in: nil).waiting == nil)
        #expect(try await stand.broker.cursors(of: stand.key, in: nil).map(\.waiting) == [nil])
        try await stand.broker.setCursor(name, of: stand.key, in: nil, to: .beginning)
        #expect(try await stand.texts("c").first == "new 1")
    }

    @Test("a cursor that names a message behind the end and no segment is not taken for one at the end")
    func edited() async throws {
        let stand = try LogStand(store: store)
        try await stand.appendSegments([["1", "2"], ["3"]])
        let cursor = try stand.folder.object("cursors/c")
        try await store.put(cursor, Array(#"{"version":1,"sequence":99}"#.utf8))
        await #expect { try await stand.texts("c") } throws: { isBeyond($0, end: 4, next: 99) }
        // The end itself is a place, whatever the cursor knows of segments.
        try await store.put(cursor, Array(#"{"version":1,"sequence":4}"#.utf8))
        #expect(try await stand.texts("c").isEmpty)
    }

    @Test("a consumer that waits at the end finds out when the log is emptied, with one request more now and then")
    func whileWaiting() async throws {
        let now = Mutex(Duration.zero)
        var environment = LogEnvironment.system
        environment.elapsed = { now.withLock { $0 } }
        let counting = EditedStore()
        let stand = try LogStand(store: counting, environment: environment)
        try await stand.appendSegments((1...6).map { ["\($0)"] })
        let reader = try await stand.reader()
        #expect(try await stand.read(reader, commits: true).count == 6)
        for _ in 1...2 {
            now.withLock { $0 += .seconds(301) }
            #expect(try await reader.next().isEmpty)
        }
        for info in try await counting.base.list(ListQuery(prefix: "p/A/B/log/")).objects {
            try await counting.base.delete(info.key)
        }
        try await LogStand(store: counting.base).append(["new"])
        now.withLock { $0 += .seconds(301) }
        await #expect { try await reader.next() } throws: { isBeyond($0, end: 2, next: 7) }
        await reader.close()
    }

    @Test("a consumer that begins at the end of a log asks for no more than what tells that it is the end")
    func requests() async throws {
        var environment = LogEnvironment.system
        // No lease is renewed meanwhile.
        environment.sleep = { _ in try await Task.sleep(for: .seconds(3600)) }
        let counting = EditedStore()
        let stand = try LogStand(store: counting, environment: environment)
        try await stand.appendSegments((1...6).map { ["\($0)"] })
        let first = try await stand.reader()
        #expect(try await stand.read(first, commits: true).count == 6)
        await first.close()
        let again = try await stand.reader()
        let before = counting.count
        #expect(try await again.next().isEmpty)
        // The cursor thrice, the lease twice, `start`, the segments 7, 6 and 7 again, five further on, and a listing.
        #expect(counting.count - before == 15)
        await again.close()
    }
}
