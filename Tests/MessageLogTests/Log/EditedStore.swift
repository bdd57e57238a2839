import ObjectStorage
import Synchronization

/// A store in memory that counts what it is asked for, and tells of objects what a test makes of it.
final class EditedStore: ObjectStore {
    let description = "edited:"
    let base = InMemoryObjectStore()
    /// Changes what is told of an object; for one that is not there it is given `nil`.
    private let edit: @Sendable (ObjectKey, ObjectInfo?) -> ObjectInfo?
    private let refusesLists: Bool
    private let requests = Mutex(0)

    init(
        refusesLists: Bool = false, _ edit: @escaping @Sendable (ObjectKey, ObjectInfo?) -> ObjectInfo? = { $1 }
    ) {
        self.refusesLists = refusesLists
        self.edit = edit
    }

    /// How many requests there were.
    var count: Int { requests.withLock { $0 } }

    private func note() { requests.withLock { $0 += 1 } }

    func put(_ key: ObjectKey, _ body: [UInt8], if condition: PutCondition) async throws(ObjectStoreError) -> EntityTag
    {
        note()
        return try await base.put(key, body, if: condition)
    }

    func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject {
        note()
        let stored = try await base.get(key, range: range)
        return StoredObject(info: edit(key, stored.info) ?? stored.info, bytes: stored.bytes)
    }

    func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
        note()
        let found: ObjectInfo?
        do throws(ObjectStoreError) {
            found = try await base.head(key)
        } catch {
            guard error.code == .notFound else { throw error }
            found = nil
        }
        guard let info = edit(key, found) else { throw ObjectStoreError(.notFound, "there is no '\(key)'") }
        return info
    }

    func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage {
        note()
        if refusesLists { throw ObjectStoreError(.denied, "it may not be listed") }
        let page = try await base.list(query)
        return ObjectPage(
            objects: page.objects.compactMap { edit($0.key, $0) }, folders: page.folders, next: page.next)
    }

    func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
        note()
        try await base.delete(key)
    }

    func close() async {}
}
