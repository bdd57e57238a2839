import CivilTime
import ObjectStorage
import ObjectStorageConformance
import Testing

@Suite struct InMemoryObjectStoreTests {
    @Test("a store in memory conforms", arguments: ConformanceCheck.all)
    func conforms(check: ConformanceCheck) async throws {
        try await check(on: InMemoryObjectStore())
    }

    @Test("the store's clock is the one it was given")
    func clock() async throws {
        let time = UTCTime(microseconds: 1_795_000_000_000_000)
        let store = InMemoryObjectStore(now: { time })
        let key = try ObjectKey("a")
        try await store.put(key, [1])
        #expect(try await store.head(key).modified == time)
    }

    @Test("a tag is never given twice, also to the same bytes")
    func tags() async throws {
        let store = InMemoryObjectStore()
        let key = try ObjectKey("a")
        let first = try await store.put(key, [1])
        try await store.delete(key)
        #expect(try await store.put(key, [1]) != first)
    }

    @Test("a store that was closed says so")
    func closed() async throws {
        let store = InMemoryObjectStore()
        await store.close()
        let error = await #expect(throws: ObjectStoreError.self) { try await store.list(ListQuery()) }
        #expect(error?.code == .closed)
    }
}
