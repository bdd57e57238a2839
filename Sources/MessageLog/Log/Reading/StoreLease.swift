import CivilTime
import JSON
import Logging
import ObjectStorage

/// A lease that is an object, on stores that have no locks of their own.
///
/// Whoever has it counts up a number in it; who waits takes it over when it has not changed for some seconds of the
/// waiter's own time, so that no clocks are compared. It keeps readers from doing the same work twice. That a deposed one
/// does no harm is up to the cursor, whose changes are conditional.
actor StoreLease: Lease {
    private let folder: LogFolder
    private let object: ObjectKey
    private let logger: Logger
    private let environment: LogEnvironment
    private let holder: String

    private var held: (tag: EntityTag, count: UInt64, renewedAt: Duration)?
    private var seen: (tag: EntityTag, since: Duration, who: String?)?
    private var isClosed = false
    private var renewal: Task<Void, Never>?
    private let turns = Turns()

    /// How often the holder counts.
    static let renewalInterval = Duration.seconds(2)
    /// How long it must not have counted until another one takes over.
    static let patience = Duration.seconds(7)
    /// How often a waiter looks.
    static let waitInterval = Duration.seconds(1)
    /// For how long it is tried to give it back for good: soon after, it grows old by itself.
    static let closingLimit = Duration.seconds(5)

    init(folder: LogFolder, name: String, logger: Logger) throws(MessageLogError) {
        self.folder = folder
        self.logger = logger
        environment = folder.environment
        object = try folder.object("leases/\(name)")
        holder = WriterID(high: environment.random(), low: environment.random()).description
    }

    deinit { renewal?.cancel() }

    func take() async throws(MessageLogError) {
        while try await !tryToTake() {
            try await environment.wait(Self.waitInterval / 2 + environment.jittered(Self.waitInterval))
        }
    }

    func tryToTake() async throws(MessageLogError) -> Bool {
        try await turns.run { () throws(MessageLogError) in try await attempt() }
    }

    func otherHolder() -> String? { seen?.who }

    private func attempt() async throws(MessageLogError) -> Bool {
        if isClosed { throw MessageLogError(.closed, "the reader was closed") }
        if held != nil { return true }
        let stored = try await folder.read(object, range: 0..<LogFolder.noteLimit)
        let state = stored.map { State($0.bytes) }
        var count: UInt64 = 1
        if let stored, let state, state.isHeld {
            let now = environment.elapsed()
            if state.holder == holder {
                // An earlier attempt of this reader did get through.
                hold(stored.info.tag, count: state.count)
                return true
            }
            if seen?.tag != stored.info.tag { seen = (stored.info.tag, now, state.who) }
            guard let seen, now - seen.since >= Self.patience else { return false }
            logger.notice("taking over a lease", metadata: ["object": "\(object)", "from": "\(state.holder)"])
            count = state.count + 1
        }
        if let tag = try await write(count, if: stored.map { .matches($0.info.tag) } ?? .absent) {
            hold(tag, count: count)
            return true
        }
        guard let own = try await own() else { return false }
        hold(own.tag, count: own.count)
        return true
    }

    /// What stands there, if it is this reader's: of an attempt that got through without an answer.
    private func own() async throws(MessageLogError) -> (tag: EntityTag, count: UInt64)? {
        guard let stored = try await folder.read(object, range: 0..<LogFolder.noteLimit) else { return nil }
        let state = State(stored.bytes)
        return state.isHeld && state.holder == holder ? (stored.info.tag, state.count) : nil
    }

    private func hold(_ tag: EntityTag, count: UInt64) {
        held = (tag, count, environment.elapsed())
        seen = nil
        renewal?.cancel()
        let environment = environment
        renewal = Task(executorPreference: environment.executor) { [weak self] in
            while (try? await environment.sleep(Self.renewalInterval)) != nil, let self {
                guard (try? await self.renew()) != false else { return }
            }
        }
    }

    func check() async throws(MessageLogError) {
        if let held, environment.elapsed() - held.renewedAt > Self.patience { _ = try? await renew() }
        guard held != nil else {
            throw MessageLogError(.leaseLost, "another consumer has taken over the lease \(object) of \(folder.store)")
        }
    }

    /// Counts up.
    ///
    /// - Returns: Whether the lease is still held.
    @discardableResult
    private func renew() async throws(MessageLogError) -> Bool {
        try await turns.run { () throws(MessageLogError) in
            guard let held else { return false }
            if let tag = try await write(held.count + 1, if: .matches(held.tag)) {
                self.held = (tag, held.count + 1, environment.elapsed())
                return true
            }
            if let own = try await own() {
                self.held = (own.tag, own.count, environment.elapsed())
                return true
            }
            logger.warning("lost a lease", metadata: ["object": "\(object)"])
            self.held = nil
            return false
        }
    }

    func release() async {
        renewal?.cancel()
        renewal = nil
        _ = try? await turns.run { () throws(MessageLogError) in
            guard let held else { return }
            self.held = nil
            // Nobody has to wait for it to grow old; where that does not get through, somebody has to.
            _ = try await write(held.count + 1, isHeld: false, if: .matches(held.tag))
        }
    }

    func close() async {
        isClosed = true
        let environment = environment
        let release = Task(executorPreference: environment.executor) { await self.release() }
        let limit = Task(executorPreference: environment.executor) {
            try await environment.sleep(Self.closingLimit)
            release.cancel()
        }
        await release.value
        limit.cancel()
    }

    /// Writes the lease; nil when it is not as it was.
    private func write(
        _ count: UInt64, isHeld: Bool = true, if condition: PutCondition
    ) async throws(MessageLogError) -> EntityTag? {
        let state = State(holder: holder, isHeld: isHeld, count: count, who: environment.who)
        return try await folder.store.swap(
            object, for: state.json(at: environment.now()), if: condition, orSay: "cannot write the lease \(object)")
    }

    /// What the object says.
    struct State: Sendable, Equatable {
        var holder: String
        var isHeld: Bool
        var count: UInt64
        /// The holder's process and host, for people.
        var who: String?

        init(holder: String, isHeld: Bool, count: UInt64, who: String? = nil) {
            self.holder = holder
            self.isHeld = isHeld
            self.count = count
            self.who = who
        }

        /// Reads it; what cannot be read is somebody's as long as it changes.
        init(_ bytes: [UInt8]) {
            let value = try? JSONValue(parsing: bytes)
            holder = value?["holder"]?.string ?? "unknown"
            isHeld = value?["held"] != .bool(false)
            count = min(value?["count"]?.unsigned ?? 0, 1 << 62)
            who = value?["who"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        }

        func json(at time: UTCTime) -> [UInt8] {
            let value: JSONValue = [
                "version": 1, "holder": .string(holder), "held": .bool(isHeld), "count": .number(JSONNumber(count)),
                "time": .string(time.description), "who": .string(who ?? ""),
            ]
            return value.bytes()
        }
    }
}
