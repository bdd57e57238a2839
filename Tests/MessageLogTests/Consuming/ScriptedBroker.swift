import CivilTime

@testable import MessageLog
import Synchronization

/// A broker in memory that does as it is told: it keeps messages, cursors and leases, and fails when it should.
final class ScriptedBroker: Broker {
    /// What is asked of it, to be failed at.
    enum Call: Hashable { case makeReader, next, wait, commit, makeWriter, append }

    struct State {
        var messages: [RoutingKey: [Message]] = [:]
        /// How many messages each consumer has handled of each key.
        var cursors: [String: [RoutingKey: Int]] = [:]
        var holders: [String: [RoutingKey: Int]] = [:]
        /// What happened, in order: `commit A.B 3`, `append DEAD.LETTERS 1`.
        var events: [String] = []
        var faults: [Call: [MessageLogError]] = [:]
        var faultsOfKeys: [RoutingKey: MessageLogError] = [:]
        /// After so many calls nothing works any more, as when the process ends.
        var callsLeft = Int.max
        var calls = 0
        var readers = 0
        var openReaders = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        /// How many messages a reader gives at a time.
        var batch = 4
    }

    let state = Mutex(State())
    let description: String

    init(_ name: String = "scripted") { description = name }

    var events: [String] { state.withLock { $0.events } }

    /// Messages that were sent one microsecond after the other, from the one that is given.
    func send(_ key: String, _ bodies: [String], from time: Int64 = 0, step: Int64 = 1) throws {
        let key = try RoutingKey(key)
        let waiters = state.withLock { state in
            for (index, body) in bodies.enumerated() {
                let number = UInt64(state.messages[key, default: []].count + 1)
                state.messages[key, default: []].append(
                    Message(
                        key: key, body: ArraySlice(body.utf8), time: UTCTime(microseconds: time + Int64(index) * step),
                        position: .sequence(number)))
            }
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The next call of a kind fails, and the one after it with the error after it.
    func fail(_ call: Call, _ errors: MessageLogError...) { state.withLock { $0.faults[call, default: []] += errors } }

    /// The next reading of a key fails.
    func failNext(of key: String, _ error: MessageLogError) throws {
        let key = try RoutingKey(key)
        state.withLock { $0.faultsOfKeys[key] = error }
    }

    /// Where a consumer stands: how many messages it has handled.
    func cursor(_ key: String, of name: String = "default") throws -> Int {
        let key = try RoutingKey(key)
        return state.withLock { $0.cursors[name]?[key] ?? 0 }
    }

    func bodies(_ key: String) throws -> [String] {
        let key = try RoutingKey(key)
        return state.withLock { $0.messages[key, default: []].map(\.text) }
    }

    /// Has a lease taken over by nobody in particular.
    func takeOver(_ key: String, of name: String = "default") throws {
        let key = try RoutingKey(key)
        state.withLock { $0.holders[name]?[key] = -1 }
    }

    func release(_ key: String, of name: String = "default") throws {
        let key = try RoutingKey(key)
        state.withLock { $0.holders[name]?[key] = nil }
    }

    fileprivate func begin(_ call: Call) throws(MessageLogError) {
        let fault = state.withLock { state -> MessageLogError? in
            state.calls += 1
            if state.callsLeft == 0 { return MessageLogError(.closed, "the process has ended") }
            state.callsLeft -= 1
            guard var faults = state.faults[call], !faults.isEmpty else { return nil }
            let first = faults.removeFirst()
            state.faults[call] = faults
            return first
        }
        if let fault { throw fault }
    }

    func makeWriter(for key: RoutingKey) async throws(MessageLogError) -> any MessageWriter {
        try begin(.makeWriter)
        return Writer(broker: self, key: key)
    }

    func makeReader(
        of pattern: RoutingPattern, for consumer: ConsumerName, options: ReaderOptions
    ) async throws(MessageLogError) -> any MessageReader {
        guard let key = pattern.key else {
            return PatternReader(
                PatternReader.Source(
                    keys: { () throws(MessageLogError) in try await self.keys(matching: pattern) },
                    makeReader: { key, options throws(MessageLogError) in
                        try await self.makeReader(of: RoutingPattern(key), for: consumer, options: options)
                    }), options: options)
        }
        try begin(.makeReader)
        let number = state.withLock { state in
            state.readers += 1
            state.openReaders += 1
            return state.readers
        }
        return Reader(broker: self, key: key, consumer: consumer.description, number: number, options: options)
    }

    func keys(matching pattern: RoutingPattern) async throws(MessageLogError) -> [RoutingKey] {
        state.withLock { $0.messages.keys.filter(pattern.matches).sorted() }
    }

    func close() async {}
}

private struct Writer: MessageWriter {
    let broker: ScriptedBroker
    let key: RoutingKey

    func append(_ batch: MessageBatch) async throws(MessageLogError) -> AppendReceipt {
        try broker.begin(.append)
        var rest = batch.records[...]
        broker.state.withLock { state in
            while !rest.isEmpty {
                let number = { (count: Int) in
                    defer { rest = rest.dropFirst(count) }
                    return rest.prefix(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                }
                let count = Int(number(4))
                let time = UTCTime(microseconds: Int64(number(8)))
                let position = Position.sequence(UInt64(state.messages[key, default: []].count + 1))
                state.messages[key, default: []].append(
                    Message(key: key, body: rest.prefix(count), time: time, position: position))
                rest = rest.dropFirst(count)
            }
            state.events.append("append \(key) \(batch.count)")
        }
        return AppendReceipt(first: nil, last: nil)
    }

    func close() async {}
}

/// Reads one key for one consumer, under a lease.
private final class Reader: MessageReader {
    private let broker: ScriptedBroker
    private let key: RoutingKey
    private let consumer: String
    private let number: Int
    private let next: Mutex<Int?>
    private let options: ReaderOptions

    init(broker: ScriptedBroker, key: RoutingKey, consumer: String, number: Int, options: ReaderOptions) {
        (self.broker, self.key, self.consumer, self.number, self.options) = (broker, key, consumer, number, options)
        next = Mutex(nil)
    }

    private var holder: Int? { broker.state.withLock { $0.holders[consumer]?[key] } }

    func takeLease() async throws(MessageLogError) -> Bool {
        broker.state.withLock { state in
            let holder = state.holders[consumer]?[key]
            if holder == nil { state.holders[consumer, default: [:]][key] = number }
            return holder == nil || holder == number
        }
    }

    func next() async throws(MessageLogError) -> [Message] {
        try broker.begin(.next)
        if let fault = broker.state.withLock({ $0.faultsOfKeys.removeValue(forKey: key) }) { throw fault }
        if next.withLock({ $0 == nil }) {
            while try await !takeLease() {
                if Task.isCancelled { throw MessageLogError(.cancelled, "cancelled") }
                await Task.yield()
            }
        }
        guard holder == number else { throw MessageLogError(.leaseLost, "\(key) is another's") }
        return broker.state.withLock { state in
            let all = state.messages[key, default: []]
            let cursor = state.cursors[consumer]?[key]
            return next.withLock { next in
                let first =
                    next ?? (options.ignoresCursor ? nil : cursor) ?? (options.start == .end ? all.count : 0)
                let end = min(first + state.batch, all.count)
                next = end
                return Array(all[first..<end])
            }
        }
    }

    /// Waits until something is sent; as long as it takes, since tests do not go by the time.
    func waitForMore(atMost limit: Duration) async throws(MessageLogError) {
        try broker.begin(.wait)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isThere = broker.state.withLock { state in
                    let all = state.messages[key, default: []].count
                    if Task.isCancelled || next.withLock({ ($0 ?? 0) < all }) || state.holders[consumer]?[key] != number
                    {
                        return true
                    }
                    state.waiters[number] = continuation
                    return false
                }
                if isThere { continuation.resume() }
            }
        } onCancel: {
            broker.state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
        if Task.isCancelled { throw MessageLogError(.cancelled, "cancelled") }
    }

    func commit(through message: Message) async throws(MessageLogError) {
        // What a cancelled task may not do.
        if Task.isCancelled { throw MessageLogError(.cancelled, "cancelled") }
        try broker.begin(.commit)
        guard holder == number else { throw MessageLogError(.leaseLost, "\(key) is another's") }
        guard case .sequence(let sequence) = message.position else { return }
        broker.state.withLock { state in
            state.cursors[consumer, default: [:]][key] = Int(sequence)
            state.events.append("commit \(key) \(sequence)")
        }
    }

    func rewind() async throws(MessageLogError) { next.withLock { $0 = nil } }

    func close() async {
        broker.state.withLock { state in
            state.openReaders -= 1
            if state.holders[consumer]?[key] == number { state.holders[consumer]?[key] = nil }
        }
    }
}
