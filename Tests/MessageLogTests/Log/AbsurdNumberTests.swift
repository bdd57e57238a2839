import CivilTime
import ObjectStorage
import Testing

@testable import MessageLog

/// Numbers that no store should tell, and no log should have.
@Suite(.timeLimit(.minutes(1))) struct AbsurdNumberTests {
    private static func info(_ info: ObjectInfo, size: Int = .max) -> ObjectInfo {
        ObjectInfo(key: info.key, size: size, tag: info.tag, modified: UTCTime(microseconds: 0))
    }

    @Test("sizes that no object has do not stop retention, nor readers of the legacy layout")
    func sizes() async throws {
        let store = EditedStore { key, found in
            found.map { key.description.contains("clock-") ? $0 : Self.info($0) }
        }
        let stand = try LogStand(store: store)
        try await stand.appendSegments((1...5).map { ["\($0)"] })
        let policy = RetentionPolicy(maximumBytes: 100, isTrial: true)
        #expect(try await stand.broker.retain(stand.key, policy).segments >= 1)

        let legacy = try LegacyBroker(
            store: store, prefix: "l", options: LegacyOptions(), logger: quiet, environment: .system)
        try await legacy.makeWriter(for: stand.key).append(batch(["1", "2", "3"]))
        let reader = try await legacy.makeReader(
            of: RoutingPattern(stand.key), for: .standard, options: ReaderOptions())
        #expect(try await reader.next().map(\.text) == ["1"])
        await reader.close()
    }

    @Test("segments whose numbers contradict where the log starts stay where they are")
    func contradiction() async throws {
        // All of them are old enough to go.
        let store = EditedStore { key, found in
            found.map { key.description.contains("/log/") ? Self.info($0, size: $0.size) : $0 }
        }
        let stand = try LogStand(store: store)
        try await stand.appendSegments((1...5).map { ["\($0)"] })
        let policy = RetentionPolicy(maximumBytes: 0, isTrial: true)
        #expect(try await stand.broker.retain(stand.key, policy).segments == 4)
        try await store.put(stand.folder.object("start"), LogStart(segment: 2, sequence: 1000).json)
        let report = try await stand.broker.retain(stand.key, policy)
        #expect(report.segments == 0 && report.messages == 0)
    }

    @Test("a store that has a segment of every number is told as corrupt")
    func endless() async throws {
        let store = EditedStore { key, found in
            found
                ?? (key.description.contains("/log/")
                    ? ObjectInfo(key: key, size: 100, tag: EntityTag("t"), modified: .now) : nil)
        }
        let stand = try LogStand(store: store)
        await #expect { try await stand.append(["1"]) } throws: { code($0) == .corrupt }
    }

    @Test("what is no cursor and no start for its size alone is told as corrupt")
    func large() async throws {
        let store = InMemoryObjectStore()
        let stand = try LogStand(store: store)
        try await stand.append(["1"])
        let spaces = [UInt8](repeating: UInt8(ascii: " "), count: 1 << 20)
        let state = CursorState(sequence: 1, segment: 1, holder: "h", count: 1, log: "\(stand.broker) A.B")
        try await store.put(ObjectKey("p/A/B/cursors/c"), state.json(at: .now) + spaces)
        await #expect { try await stand.reader().next() } throws: { code($0) == .corrupt }
        try await store.put(stand.folder.object("start"), LogStart(segment: 1, sequence: 1).json + spaces)
        await #expect { try await stand.texts() } throws: { code($0) == .corrupt }
    }
}
