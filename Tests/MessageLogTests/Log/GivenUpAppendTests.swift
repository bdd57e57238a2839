import ObjectStorage
import Synchronization
import TestServers
import Testing

@testable import MessageLog

/// An append that nobody waits for any more.
@Suite(.timeLimit(.minutes(1))) struct GivenUpAppendTests {
    /// What each put of a segment comes to, one after the other; the rest are done.
    private enum Fault {
        /// It waits until it is cancelled.
        case hangs
        /// It is done, and its answer waits until it is cancelled.
        case hangsWhenDone
        /// The store cannot be reached.
        case unreachable
        /// The store says that it was cancelled, which it was not.
        case ended
    }

    private final class StubbornStore: ObjectStore {
        let description = "stubborn:"
        let base = InMemoryObjectStore()
        private let faults: Mutex<[Fault]>
        private let puts = Mutex(0)

        init(_ faults: [Fault]) { self.faults = Mutex(faults) }

        /// How many puts of segments there were.
        var count: Int { puts.withLock { $0 } }

        func put(
            _ key: ObjectKey, _ body: [UInt8], if condition: PutCondition
        ) async throws(ObjectStoreError) -> EntityTag {
            guard key.description.contains("/log/") else { return try await base.put(key, body, if: condition) }
            puts.withLock { $0 += 1 }
            let fault = faults.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            switch fault {
            case nil: return try await base.put(key, body, if: condition)
            case .unreachable: throw ObjectStoreError(.unreachable, "nobody is there")
            case .ended: throw ObjectStoreError(.cancelled, "it was cancelled")
            case .hangs, .hangsWhenDone:
                if fault == .hangsWhenDone { _ = try await base.put(key, body, if: condition) }
                while (try? await Task.sleep(for: .seconds(1000))) != nil {}
                throw ObjectStoreError(.cancelled, "it was cancelled")
            }
        }

        func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject {
            try await base.get(key, range: range)
        }
        func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await base.head(key) }
        func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage { try await base.list(query) }
        func delete(_ key: ObjectKey) async throws(ObjectStoreError) { try await base.delete(key) }
        func close() async {}
    }

    /// An environment in which pauses end only by being cancelled.
    private static var endlessPauses: LogEnvironment {
        var environment = LogEnvironment.system
        environment.sleep = { _ in while true { try await Task.sleep(for: .seconds(1000)) } }
        return environment
    }

    @Test("ends what the store was asked for, and closing does not wait for it")
    func request() async throws {
        let store = StubbornStore([.hangs])
        let stand = try LogStand(store: store)
        let writer = try await stand.broker.makeWriter(for: stand.key)
        let call = Task { await outcome { () throws(MessageLogError) in try await writer.append(batch(["1"])) } }
        try await eventually { store.count == 1 }
        call.cancel()
        await #expect { try await call.value.get() } throws: { code($0) == .cancelled && !isNothingStored($0) }
        await writer.close()
    }

    private func isNothingStored(_ error: any Error) -> Bool { (error as? MessageLogError)?.isNothingStored == true }

    @Test("ends the pause before the next attempt, and says what the last one came to, and that nothing is stored")
    func pause() async throws {
        let store = StubbornStore([.unreachable])
        let stand = try LogStand(store: store, environment: Self.endlessPauses)
        let writer = try await stand.broker.makeWriter(for: stand.key)
        let call = Task { await outcome { () throws(MessageLogError) in try await writer.append(batch(["1"])) } }
        try await eventually { store.count == 1 }
        call.cancel()
        await #expect { try await call.value.get() } throws: {
            code($0) == .cancelled && isNothingStored($0) && "\($0)".contains("nobody is there")
        }
        await writer.close()
        #expect(store.count == 1)
    }

    @Test("is brought to its end for one behind it, and is there once when given again", arguments: [false, true])
    func again(isStored: Bool) async throws {
        let store = StubbornStore([isStored ? .hangsWhenDone : .hangs])
        let stand = try LogStand(store: store)
        let writer = try await stand.broker.makeWriter(for: stand.key)
        let call = Task { await outcome { () throws(MessageLogError) in try await writer.append(batch(["1"])) } }
        try await eventually { store.count == 1 }
        call.cancel()
        _ = await call.value
        #expect(try await writer.append(batch(["2"])).first == .sequence(2))
        #expect(try await writer.append(batch(["1"])).first == .sequence(1))
        #expect(try await stand.texts() == ["1", "2"])
        await writer.close()
    }

    @Test(
        "a producer says whether a message that nobody took may be stored, and what kept it", arguments: [false, true])
    func producer(mayBeStored: Bool) async throws {
        let store = StubbornStore(mayBeStored ? [.unreachable, .hangs] : Array(repeating: .unreachable, count: 1000))
        let stand = try LogStand(store: store)
        var options = ProducerOptions(spooling: .never)
        options.patience = .milliseconds(300)
        let producer = try Producer(routingKey: "A.B", brokers: [stand.broker], options: options)
        await #expect { try await producer.send("1") } throws: {
            code($0) == (mayBeStored ? .ambiguous : .unreachable) && "\($0)".contains("nobody is there")
                && "\($0)".contains(mayBeStored ? "it is not known" : "nothing of them is stored")
        }
        await producer.close()
        #expect(store.count > 1)
        #expect(try await stand.texts() == [])
    }

    @Test("an attempt that the store ends, and no caller, is told of")
    func endedByStore() async throws {
        let store = StubbornStore([.ended])
        let stand = try LogStand(store: store)
        let writer = try await stand.broker.makeWriter(for: stand.key)
        await #expect { try await writer.append(batch(["1"])) } throws: { code($0) == .cancelled }
        #expect(store.count == 1)
        await writer.close()
    }
}
