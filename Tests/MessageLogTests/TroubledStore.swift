import ObjectStorage
import Synchronization

@testable import MessageLog

/// A store that fails when it should, and counts what is asked of it.
final class TroubledStore: ObjectStore {
    enum Call: Hashable { case put, get, head, list, delete }

    /// What goes wrong with a call.
    enum Trouble {
        /// It is not done.
        case fails(ObjectStoreError)
        /// It is done, but the answer is lost.
        case answerLost
        /// It is done, and told to have failed.
        case doneBut(ObjectStoreError)
        /// Somebody deletes the object just before.
        case deletedBefore
    }

    private struct State {
        var troubles: [Call: [Trouble]] = [:]
        var counts: [Call: Int] = [:]
    }

    private let store: InMemoryObjectStore
    private let isConditional: Bool
    private let state = Mutex(State())
    var description: String { store.description }

    init(_ store: InMemoryObjectStore, isConditional: Bool) {
        self.store = store
        self.isConditional = isConditional
    }

    func count(_ call: Call) -> Int { state.withLock { $0.counts[call, default: 0] } }

    /// The next calls of a kind go wrong.
    func trouble(_ call: Call, _ troubles: Trouble...) { state.withLock { $0.troubles[call, default: []] += troubles } }

    /// Counts a call, and throws what keeps it from being done.
    ///
    /// - Returns: What goes wrong with it apart from that.
    private func begin(_ call: Call) throws(ObjectStoreError) -> Trouble? {
        let trouble = state.withLock { state -> Trouble? in
            state.counts[call, default: 0] += 1
            guard let first = state.troubles[call]?.first else { return nil }
            state.troubles[call]?.removeFirst()
            return first
        }
        if case .fails(let error) = trouble { throw error }
        return trouble
    }

    func put(_ key: ObjectKey, _ body: [UInt8], if condition: PutCondition) async throws(ObjectStoreError) -> EntityTag
    {
        let trouble = try begin(.put)
        let tag = try await store.put(key, body, if: isConditional ? condition : .always)
        switch trouble {
        case .answerLost: throw ObjectStoreError(.ambiguous, "no answer")
        case .doneBut(let error): throw error
        default: return tag
        }
    }

    func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject {
        if case .deletedBefore = try begin(.get) { try await store.delete(key) }
        return try await store.get(key, range: range)
    }

    func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
        _ = try begin(.head)
        return try await store.head(key)
    }

    func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage {
        _ = try begin(.list)
        return try await store.list(query)
    }

    func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
        _ = try begin(.delete)
        try await store.delete(key)
    }

    func close() async {}
}
