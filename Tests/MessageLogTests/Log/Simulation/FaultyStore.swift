import Synchronization

@testable import ObjectStorage

/// How often things go wrong: once in so many requests; 0 for never.
struct FaultRates: Sendable {
    /// The request does not arrive.
    var unreachable = 0
    /// The store asks for fewer.
    var throttled = 0
    /// The request is carried out, and the answer does not come.
    var unanswered = 0
    /// Neither the request nor the answer comes.
    var lost = 0
    /// The answer does not come, and the request is carried out later, up to `lateness`.
    var late = 0
    var lateness = Duration.seconds(60)
    /// The store's own client tries twice, and is told that what it just wrote is there.
    var repeated = 0
    /// The caller stands still for up to `stallTime` before the request, and has its answer then.
    var stalled = 0
    var stallTime = Duration.zero
    /// The body is damaged or cut on the way.
    var damaged = 0

    static let none = FaultRates()
    static let many = FaultRates(
        unreachable: 15, throttled: 40, unanswered: 15, lost: 20, late: 20, repeated: 20, damaged: 40)
}

/// What one process sees of a store: each has one, which ends with it.
final class FaultyStore: ObjectStore {
    let description = "faulty:"
    private let base: any ObjectStore
    private let time: SimulatedTime
    private let shared: Shared
    private let isKilled = Mutex(false)

    /// What all processes have in common.
    final class Shared: Sendable {
        let rates: Mutex<FaultRates>
        /// Until when the store is away.
        let awayUntil = Mutex(Duration.zero)

        init(_ rates: FaultRates) { self.rates = Mutex(rates) }
    }

    init(_ base: any ObjectStore, time: SimulatedTime, shared: Shared) {
        self.base = base
        self.time = time
        self.shared = shared
    }

    /// Ends the process: requests that are under way may still be carried out.
    func kill() { isKilled.withLock { $0 = true } }

    var isAlive: Bool { !isKilled.withLock { $0 } }

    private var rates: FaultRates { shared.rates.withLock { $0 } }

    @discardableResult
    func put(_ key: ObjectKey, _ body: [UInt8], if condition: PutCondition) async throws(ObjectStoreError) -> EntityTag
    {
        try await travel(mayBeCarriedOut: true) { try? await self.base.put(key, body, if: condition) }
        if time.chance(rates.stalled) {
            try? await time.sleep(time.draw(rates.stallTime))
            try checkAlive()
        }
        if time.chance(rates.lost) { throw await silence() }
        if time.chance(rates.late) {
            let delay = time.draw(rates.lateness)
            time.spawn {
                try? await self.time.sleep(delay)
                _ = try? await self.base.put(key, body, if: condition)
            }
            throw await silence()
        }
        let tag = try await base.put(key, body, if: condition)
        if time.chance(rates.unanswered) { throw await silence() }
        if condition != .always, time.chance(rates.repeated) {
            throw ObjectStoreError(.preconditionFailed, "the second attempt")
        }
        try await travel(isAnswer: true)
        return tag
    }

    func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject {
        try await travel()
        let object = try await base.get(key, range: range)
        try await travel(isAnswer: true)
        guard time.chance(rates.damaged), !object.bytes.isEmpty else { return object }
        // What a store's checks do not find, those of segments do.
        guard key.description.contains("/log/"), time.chance(2) else { throw ObjectStoreError(.corrupt, "cut off") }
        var bytes = object.bytes
        bytes[time.draw(bytes.count)] ^= 1
        return StoredObject(info: object.info, bytes: bytes)
    }

    func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
        try await travel()
        let info = try await base.head(key)
        try await travel(isAnswer: true)
        return info
    }

    /// The newest object of the page is left out now and then.
    func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage {
        try await travel()
        let page = try await base.list(query)
        guard time.chance(rates.damaged) else { return page }
        return ObjectPage(objects: page.objects.dropLast(), folders: page.folders, next: page.next)
    }

    func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
        try await travel()
        try await base.delete(key)
    }

    func close() async {}

    // MARK: Ways

    private func checkAlive() throws(ObjectStoreError) {
        guard isAlive else { throw ObjectStoreError(.closed, "the process was killed") }
    }

    private func travel(
        isAnswer: Bool = false, mayBeCarriedOut: Bool = false, _ carryOut: () async -> EntityTag? = { nil }
    ) async throws(ObjectStoreError) {
        try checkAlive()
        try? await time.sleep(time.draw(.milliseconds(20)))
        if !isAlive, mayBeCarriedOut, time.chance(2) { _ = await carryOut() }
        try checkAlive()
        guard !isAnswer else { return }
        if shared.awayUntil.withLock({ $0 }) > time.elapsed || time.chance(rates.unreachable) {
            throw ObjectStoreError(.unreachable, "connection refused")
        }
        if time.chance(rates.throttled) { throw ObjectStoreError(.throttled, "slow down") }
    }

    private func silence() async -> ObjectStoreError {
        try? await time.sleep(time.draw(.seconds(5)))
        return isAlive ? ObjectStoreError(.ambiguous, "no answer") : ObjectStoreError(.closed, "the process was killed")
    }
}
