public import CivilTime
internal import Synchronization

/// A store in the memory of the process, for tests: what the others have to agree with.
///
/// Each write gives a tag that was never given before.
public final class InMemoryObjectStore: ObjectStore {
    /// The store's name.
    public let description: String

    private let now: @Sendable () -> UTCTime
    private let state = Mutex(State())

    /// Makes an empty store.
    ///
    /// - Parameters:
    ///   - name: What the store is called in messages.
    ///   - now: The store's clock, which tells when an object was written.
    public init(name: String = "memory", now: @escaping @Sendable () -> UTCTime = { UTCTime.now }) {
        description = "\(name):"
        self.now = now
    }

    /// Writes an object; see ``ObjectStore/put(_:_:if:)``.
    @discardableResult
    public func put(
        _ key: ObjectKey, _ body: [UInt8], if condition: PutCondition
    ) async throws(ObjectStoreError) -> EntityTag {
        try withObjects { objects throws(ObjectStoreError) in
            let current = objects[key]?.info.tag
            switch condition {
            case .always: break
            case .absent where current == nil: break
            case .matches(let tag) where current == tag: break
            case .absent, .matches:
                throw ObjectStoreError(
                    .preconditionFailed, "'\(key)' in \(description) is not as the condition of the put has it")
            }
            let tag = objects.nextTag()
            objects[key] = StoredObject(
                info: ObjectInfo(key: key, size: body.count, tag: tag, modified: now()), bytes: body)
            return tag
        }
    }

    /// Reads an object; see ``ObjectStore/get(_:range:)``.
    public func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject {
        try key.check(range)
        let object = try object(key)
        return StoredObject(info: object.info, bytes: Array(object.bytes[range.part(ofSize: object.info.size)]))
    }

    /// Tells what is known of an object; see ``ObjectStore/head(_:)``.
    public func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try object(key).info }

    /// Lists a page of objects; see ``ObjectStore/list(_:)``.
    public func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage {
        try query.check()
        return try withObjects { objects throws(ObjectStoreError) in objects.page(query) }
    }

    /// Deletes an object; see ``ObjectStore/delete(_:)``.
    public func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
        try withObjects { objects throws(ObjectStoreError) in objects[key] = nil }
    }

    /// Lets go of the objects; later calls throw `closed`.
    public func close() async { state.withLock { $0 = State(isClosed: true) } }

    private func object(_ key: ObjectKey) throws(ObjectStoreError) -> StoredObject {
        try withObjects { objects throws(ObjectStoreError) in
            guard let object = objects[key] else {
                throw ObjectStoreError(.notFound, "there is no '\(key)' in \(description)")
            }
            return object
        }
    }

    private struct State {
        var objects = SortedObjects()
        var isClosed = false
    }

    private func withObjects<Value: Sendable>(
        _ body: (inout SortedObjects) throws(ObjectStoreError) -> Value
    ) throws(ObjectStoreError) -> Value {
        try state.withLock { state throws(ObjectStoreError) in
            guard !state.isClosed else { throw ObjectStoreError(.closed, "the store \(description) is closed") }
            return try body(&state.objects)
        }
    }
}
