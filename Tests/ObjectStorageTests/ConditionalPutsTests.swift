import ObjectStorage
import Synchronization
import Testing

@Suite struct ConditionalPutsTests {
    @Test("a store that honours conditions passes, and nothing is left behind")
    func honest() async throws {
        let store = InMemoryObjectStore()
        try await store.put(ObjectKey("a/other"), [1])
        let found = try await store.conditionalPuts(under: "a/")
        #expect(found == ConditionalPuts(honoursAbsent: true, honoursMatches: true))
        try await store.requireConditionalPuts(for: "the ordered layout", under: "")
        #expect(try await store.list(ListQuery()).objects.map(\.key.description) == ["a/other"])
    }

    @Test(
        "a store that ignores a condition, does not know it or always refuses it is found out",
        arguments: [
            (PoorStore.Answer.ignored, PoorStore.Answer.honoured, false, true), (.honoured, .ignored, true, false),
            (.ignored, .ignored, false, false), (.unknown, .unknown, false, false), (.honoured, .refused, true, false),
            (.refused, .honoured, false, true),
        ])
    func poor(absent: PoorStore.Answer, matches: PoorStore.Answer, absentFound: Bool, matchesFound: Bool) async throws {
        let store = PoorStore(absent: absent, matches: matches)
        let found = try await store.conditionalPuts(under: "")
        #expect(found == ConditionalPuts(honoursAbsent: absentFound, honoursMatches: matchesFound))
        let error = await #expect(throws: ObjectStoreError.self) {
            try await store.requireConditionalPuts(for: "the ordered layout", under: "")
        }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("the ordered layout") == true)
        #expect(try await store.list(ListQuery()).objects.isEmpty)
    }

    @Test("where an answer is lost another object is tried, and not for ever", arguments: [2, 3])
    func lostAnswers(count: Int) async throws {
        let store = ForgetfulStore(lost: count)
        if count < 3 {
            let found = try await store.conditionalPuts(under: "a/")
            #expect(found == ConditionalPuts(honoursAbsent: true, honoursMatches: true))
        } else {
            let error = await #expect(throws: ObjectStoreError.self) { try await store.conditionalPuts(under: "a/") }
            #expect(error?.code == .ambiguous)
        }
        #expect(try await store.list(ListQuery()).objects.isEmpty)
    }

    @Test("where answers do not come for long, no other object is tried")
    func longWait() async throws {
        let store = ForgetfulStore(lost: 1)
        let error = await #expect(throws: ObjectStoreError.self) {
            try await store.conditionalPuts(under: "a/", beginningWithin: .zero)
        }
        #expect(error?.code == .ambiguous)
        #expect(try await store.list(ListQuery()).objects.isEmpty)
    }

    @Test("a question that is cancelled leaves nothing behind")
    func cancelled() async throws {
        let store = ForgetfulStore(lost: 0)
        let call = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await #expect { try await store.conditionalPuts(under: "a/") } throws: {
                ($0 as? ObjectStoreError)?.code == .cancelled
            }
        }
        await call.value
        #expect(try await store.list(ListQuery()).objects.isEmpty)
    }

    @Test("a store that cannot be used at all is no store without conditions")
    func closed() async throws {
        let store = InMemoryObjectStore()
        await store.close()
        let error = await #expect(throws: ObjectStoreError.self) { try await store.conditionalPuts(under: "") }
        #expect(error?.code == .closed)
    }
}

/// A store that does what the first puts ask for, and answers none of them; like those behind a network it does nothing for
/// a task that is cancelled, but for a put that was sent already.
private final class ForgetfulStore: ObjectStore {
    let description = "forgetful:"
    private let store = InMemoryObjectStore()
    private let left: Mutex<Int>

    init(lost: Int) { left = Mutex(lost) }

    func put(
        _ key: ObjectKey, _ body: [UInt8], if condition: PutCondition
    ) async throws(ObjectStoreError) -> EntityTag {
        let tag = try await store.put(key, body, if: condition)
        let isLost = left.withLock { left in
            left -= 1
            return left >= 0
        }
        try checkTask()
        if isLost { throw ObjectStoreError(.ambiguous, "no answer") }
        return tag
    }

    func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject {
        try await store.get(key, range: range)
    }
    func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await store.head(key) }
    func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage { try await store.list(query) }
    func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
        try checkTask()
        try await store.delete(key)
    }
    func close() async {}

    private func checkTask() throws(ObjectStoreError) {
        if Task.isCancelled { throw ObjectStoreError(.cancelled, "it was cancelled") }
    }
}

/// A store that treats conditions as some real ones do.
struct PoorStore: ObjectStore {
    enum Answer: Sendable {
        case honoured, ignored, refused, unknown
    }

    let absent: Answer
    let matches: Answer
    private let store = InMemoryObjectStore(name: "poor")

    init(absent: Answer, matches: Answer) {
        self.absent = absent
        self.matches = matches
    }

    var description: String { store.description }

    func put(
        _ key: ObjectKey, _ body: [UInt8], if condition: PutCondition
    ) async throws(ObjectStoreError) -> EntityTag {
        let answer: Answer =
            switch condition {
            case .always: .honoured
            case .absent: absent
            case .matches: matches
            }
        switch answer {
        case .honoured: return try await store.put(key, body, if: condition)
        case .ignored: return try await store.put(key, body)
        case .refused: throw ObjectStoreError(.preconditionFailed, "refused")
        case .unknown: throw ObjectStoreError(.unsupported, "what is that?")
        }
    }

    func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject {
        try await store.get(key, range: range)
    }

    func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await store.head(key) }
    func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage { try await store.list(query) }
    func delete(_ key: ObjectKey) async throws(ObjectStoreError) { try await store.delete(key) }
    func close() async { await store.close() }
}
