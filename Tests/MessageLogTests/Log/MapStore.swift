import CivilTime
import Synchronization

@testable import ObjectStorage

/// A store in memory.
final class MapStore: ObjectStore {
    let description = "map:"
    private let state = Mutex<(objects: [ObjectKey: StoredObject], count: Int)>(([:], 0))
    private let now: @Sendable () -> UTCTime

    init(now: @escaping @Sendable () -> UTCTime = { .now }) { self.now = now }

    func put(_ key: ObjectKey, _ body: [UInt8], if condition: PutCondition) async throws(ObjectStoreError) -> EntityTag
    {
        try state.withLock { state throws(ObjectStoreError) in
            let current = state.objects[key]?.info.tag
            switch condition {
            case .always: break
            case .absent where current == nil: break
            case .matches(let tag) where current == tag: break
            default: throw ObjectStoreError(.preconditionFailed, "\(key)")
            }
            state.count += 1
            let tag = EntityTag("\(state.count)")
            state.objects[key] = StoredObject(
                info: ObjectInfo(key: key, size: body.count, tag: tag, modified: now()), bytes: body)
            return tag
        }
    }

    func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject {
        guard let object = state.withLock({ $0.objects[key] }) else { throw ObjectStoreError(.notFound, "\(key)") }
        return StoredObject(
            info: object.info,
            bytes: range.map { Array(object.bytes[$0.clamped(to: 0..<object.bytes.count)]) } ?? object.bytes)
    }

    func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await get(key).info }

    func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage {
        let all = state.withLock { $0.objects.values.map(\.info) }.sorted { $0.key < $1.key }
        var objects: [ObjectInfo] = []
        var folders: [String] = []
        for info in all where info.key.description.hasPrefix(query.prefix) {
            let name = info.key.description
            if let after = query.startAfter, name <= after { continue }
            let rest = name.dropFirst(query.prefix.count)
            if query.groupsByFolder, let slash = rest.firstIndex(of: "/") {
                let folder = query.prefix + rest[...slash]
                if folders.last != folder { folders.append(folder) }
            } else {
                objects.append(info)
            }
        }
        guard objects.count > query.limit else { return ObjectPage(objects: objects, folders: folders, next: nil) }
        let page = Array(objects.prefix(query.limit))
        return ObjectPage(objects: page, folders: folders, next: page.last?.key.description)
    }

    func delete(_ key: ObjectKey) async throws(ObjectStoreError) { state.withLock { $0.objects[key] = nil } }

    func close() async {}
}
