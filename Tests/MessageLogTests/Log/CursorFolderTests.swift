import ObjectStorage
import Testing
import TestServers

@testable import MessageLog

/// Consumers that keep their cursors in folders, of messages that are in a store.
@Suite(.timeLimit(.minutes(1))) struct CursorFolderTests {
    enum Layout: CaseIterable { case log, legacy }

    private func broker(_ layout: Layout, on store: any ObjectStore) throws -> any Broker {
        switch layout {
        case .log: try LogBroker(store: store, prefix: "p", logger: quiet)
        case .legacy: try LegacyBroker(store: store, prefix: "p", logger: quiet)
        }
    }

    private func reader(_ broker: any Broker, _ folder: String?) async throws -> any MessageReader {
        try await broker.makeReader(
            of: RoutingPattern("A.B"), for: ConsumerName("c"), options: ReaderOptions(cursorFolder: folder))
    }

    @Test(
        "consumers of one name take turns where they share a folder of cursors, and know nothing of each other where not",
        arguments: Layout.allCases)
    func turns(layout: Layout) async throws {
        try await withTemporaryFolder { root in
            let store = InMemoryObjectStore()
            let brokers = try (0..<4).map { _ in try broker(layout, on: store) }
            try await brokers[0].makeWriter(for: RoutingKey("A.B")).append(batch(["1"]))
            let readers = [
                try await reader(brokers[0], "\(root)/one"), try await reader(brokers[1], "\(root)/two"),
                try await reader(brokers[2], nil), try await reader(brokers[3], "\(root)/one"),
            ]
            for reader in readers.prefix(3) {
                #expect(try await reader.takeLease())
                #expect(try await reader.next().map(\.text) == ["1"])
            }
            #expect(try await !readers[3].takeLease())
            await readers[0].close()
            #expect(try await readers[3].takeLease())
            #expect(try await readers[3].next().map(\.text) == ["1"])
            for reader in readers.dropFirst() { await reader.close() }
            for broker in brokers { await broker.close() }
        }
    }

    @Test("a consumer with its cursor in a folder needs no more than to read and to list", arguments: Layout.allCases)
    func readsOnly(layout: Layout) async throws {
        try await withTemporaryFolder { root in
            let store = InMemoryObjectStore()
            let writing = try broker(layout, on: store)
            try await writing.makeWriter(for: RoutingKey("A.B")).append(batch(["1", "2"]))
            let reading = try broker(layout, on: ReadOnlyStore(base: store))
            let consumer = try await reader(reading, root)
            let messages = try await consumer.next()
            #expect(messages.map(\.text) == ["1", "2"])
            try await consumer.commit(through: messages[0])
            await consumer.close()
            let again = try await reader(reading, root)
            #expect(try await again.next().map(\.text) == ["2"])
            await again.close()
            await #expect { try await reader(reading, nil).next() } throws: { code($0) == .denied }
            await reading.close()
        }
    }
}

/// A store that its user may read and list, and nothing else.
private struct ReadOnlyStore: ObjectStore {
    let base: InMemoryObjectStore
    var description: String { base.description }

    private var refusal: ObjectStoreError { ObjectStoreError(.denied, "it may only be read") }

    func put(_ key: ObjectKey, _ body: [UInt8], if condition: PutCondition) async throws(ObjectStoreError) -> EntityTag
    {
        throw refusal
    }

    func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject {
        try await base.get(key, range: range)
    }

    func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await base.head(key) }

    func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage { try await base.list(query) }

    func delete(_ key: ObjectKey) async throws(ObjectStoreError) { throw refusal }

    func close() async {}
}
