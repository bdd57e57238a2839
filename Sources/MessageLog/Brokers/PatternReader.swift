import CivilTime

/// Reads all keys that match a pattern, with a reader for each: how brokers that know only single keys read patterns.
///
/// What is at hand of the keys is merged by its times; of each key, messages keep their order. Keys that come into being
/// later are found while it reads. Each key has its own cursor, and its own lease: consumers of one name share the keys
/// among them, and one that has any does not wait for those that another one has. A key that cannot be read, as one with a
/// corrupt segment, keeps none of the others back.
actor PatternReader: MessageReader {
    /// What there is to be read, by those who know.
    struct Source: Sendable {
        /// The keys that match now.
        let keys: @Sendable () async throws(MessageLogError) -> [RoutingKey]
        /// A reader of one of them.
        let makeReader: @Sendable (RoutingKey, ReaderOptions) async throws(MessageLogError) -> any MessageReader
    }

    /// A key's reader, and what it has given.
    private struct Branch {
        let reader: any MessageReader
        var isLeased = false
        var messages: [Message] = []
        /// Why the key could not be read, and when that was.
        var failure: (error: MessageLogError, at: Duration)?
    }

    private let source: Source
    private let options: ReaderOptions
    private let clock: ConsumerClock
    private let firstLook: FirstLook
    private var branches: [RoutingKey: Branch] = [:]
    private var lastLook: Duration?
    /// The key whose turn to be read is next, so that none starves while others fill what may be at hand.
    private var turn = 0

    /// How often it looks for new keys at most; on a store that is a listing.
    private static let lookInterval = Duration.seconds(1)
    /// How often it is tried again to read a key that cannot be read.
    private static let restInterval = Duration.seconds(60)
    /// How many keys are read at a time.
    private static let width = 4

    init(_ source: Source, options: ReaderOptions, clock: ConsumerClock = .system) {
        self.source = source
        self.options = options
        self.clock = clock
        firstLook = options.firstLook ?? FirstLook()
    }

    func takeLease() async throws(MessageLogError) -> Bool {
        try await lookForKeys()
        try await takeLeases()
        return branches.isEmpty || branches.values.contains { $0.isLeased || $0.failure != nil }
    }

    func next() async throws(MessageLogError) -> [Message] {
        while true {
            let hasAny = try await takeLease()
            try await fill()
            let messages = merge()
            if messages.isEmpty { try throwFailure() }
            if !messages.isEmpty || hasAny { return messages }
            // All keys are with other consumers of the name.
            try await clock.pause(.milliseconds(250))
        }
    }

    /// Every key's reader waits; the first that may have more ends the waiting of all.
    func waitForMore(atMost limit: Duration) async throws(MessageLogError) {
        let readers = branches.values.filter(\.isLeased).map(\.reader)
        guard !readers.isEmpty else { return try await clock.pause(limit) }
        guard branches.values.allSatisfy(\.messages.isEmpty) else { return }
        let first = await withTaskGroup(of: Result<Void, MessageLogError>.self) { group in
            for reader in readers {
                group.addTask {
                    await outcome { () throws(MessageLogError) in try await reader.waitForMore(atMost: limit) }
                }
            }
            let first = await group.next()
            group.cancelAll()
            return first
        }
        try first?.get()
    }

    func commit(through message: Message) async throws(MessageLogError) {
        guard let branch = branches[message.key] else {
            throw MessageLogError(.invalidArgument, "a message of \(message.key) is not one that this reader gave")
        }
        try await branch.reader.commit(through: message)
    }

    func rewind() async throws(MessageLogError) {
        for key in branches.keys.sorted() {
            branches[key]?.messages = []
            try await branches[key]?.reader.rewind()
        }
    }

    func close() async {
        let readers = branches.values.map(\.reader)
        branches = [:]
        // Of a store that is away each waits a little.
        _ = await results(of: readers, width: readers.count) { reader in await reader.close() }
    }

    // MARK: Keys.

    private func lookForKeys() async throws(MessageLogError) {
        let now = clock.now()
        if let lastLook, now - lastLook < Self.lookInterval { return }
        // What a key has that was not there at the first look has all been sent since then.
        var options = options
        options.batchBytes = max(1, options.batchBytes / Self.width)
        var later = options
        later.start = .beginning
        later.ignoresCursor = false
        let keys = try await source.keys()
        let first = firstLook.found(keys)
        for key in keys where branches[key] == nil {
            let options = lastLook == nil && first.contains(key) ? options : later
            let reader = try await source.makeReader(key, options)
            branches[key] = Branch(reader: reader)
        }
        lastLook = now
    }

    /// Takes the leases that are free; those of one consumer or another are asked for again with each call.
    private func takeLeases() async throws(MessageLogError) {
        for key in branches.keys.sorted() {
            guard let branch = branches[key], !branch.isLeased, !isResting(branch) else { continue }
            do throws(MessageLogError) {
                if try await branch.reader.takeLease() {
                    branches[key]?.isLeased = true
                    branches[key]?.failure = nil
                }
            } catch {
                guard note(error, of: key) else { throw error }
            }
        }
    }

    // MARK: Keys that cannot be read.

    /// Whether it is not tried to read a key just now, so that it takes no time that the others need.
    private func isResting(_ branch: Branch) -> Bool {
        branch.failure.map { clock.now() - $0.at < Self.restInterval } ?? false
    }

    /// Notes a failure that concerns one key only; whoever goes on without it is told.
    ///
    /// - Returns: Whether it is one.
    private func note(_ error: MessageLogError, of key: RoutingKey) -> Bool {
        switch error.code {
        case .corrupt, .expired, .laterVersion: break
        default: return false
        }
        branches[key]?.failure = (error, clock.now())
        options.reportFault?(key, error)
        return true
    }

    /// Throws what is wrong with a key when the others have nothing more.
    ///
    /// Whoever goes on without those keys has been told, and only learns of it in this way when there are no others.
    private func throwFailure() throws(MessageLogError) {
        let failed = branches.filter { $0.value.failure != nil }.keys
        guard let first = failed.min(), let failure = branches[first]?.failure else { return }
        if options.reportFault != nil, branches.values.contains(where: { $0.isLeased && $0.failure == nil }) { return }
        // Asked again, it looks again.
        for key in failed { branches[key]?.failure = nil }
        throw failure.error
    }

    // MARK: Messages.

    /// Reads keys of which nothing is at hand, some at a time, until there is enough.
    private func fill() async throws(MessageLogError) {
        let keys = branches.filter { $0.value.isLeased && !isResting($0.value) }.keys.sorted()
        guard !keys.isEmpty else { return }
        let rotated = keys[(turn % keys.count)...] + keys[..<(turn % keys.count)]
        // Something is at hand already when the call before failed at another key.
        var bytes = branches.values.reduce(0) { $0 + Self.size($1.messages) }
        var waiting = rotated.filter { branches[$0]?.messages.isEmpty == true }[...]
        while !waiting.isEmpty, bytes < options.batchBytes {
            let some = waiting.prefix(Self.width)
            waiting = waiting.dropFirst(Self.width)
            turn += some.count
            bytes += try await read(some)
        }
    }

    /// Reads some keys at the same time; what is read is kept also when one of them fails.
    private func read(_ keys: ArraySlice<RoutingKey>) async throws(MessageLogError) -> Int {
        let readers = keys.compactMap { key in branches[key].map { (key: key, reader: $0.reader) } }
        let answers = await results(of: readers, width: Self.width) { one throws(MessageLogError) in
            try await one.reader.next()
        }
        var bytes = 0
        var failures: [MessageLogError] = []
        for (key, result) in zip(readers.map(\.key), answers) {
            switch result {
            case .success(let messages):
                branches[key]?.messages = messages
                branches[key]?.failure = nil
                bytes += Self.size(messages)
            case .failure(let error):
                if note(error, of: key) { continue }
                failures.append(error)
                guard error.code == .leaseLost else { continue }
                // What it gave comes again, from whoever has the lease now; the other keys do not wait for that one.
                branches[key]?.messages = []
                branches[key]?.isLeased = false
            }
        }
        if let failure = failures.gravest { throw failure }
        return bytes
    }

    /// Takes what is at hand, the oldest first; a message is never taken before one that precedes it in its key.
    private func merge() -> [Message] {
        let parts = branches.keys.sorted().compactMap { branches[$0]?.messages }.filter { !$0.isEmpty }
        for key in branches.keys { branches[key]?.messages = [] }
        guard parts.count > 1 else { return parts.first ?? [] }
        var places: [Place] = []
        places.reserveCapacity(parts.reduce(0) { $0 + $1.count })
        for (part, messages) in parts.enumerated() {
            // The clock of a sender may have been behind that of the one before.
            var time = Int64.min
            for (index, message) in messages.enumerated() {
                time = max(time, message.time.microseconds)
                places.append(Place(time: time, part: part, index: index))
            }
        }
        places.sort { ($0.time, $0.part, $0.index) < ($1.time, $1.part, $1.index) }
        return places.map { parts[$0.part][$0.index] }
    }

    /// Where a message is before the merge.
    private struct Place {
        let time: Int64
        let part: Int
        let index: Int
    }

    private static func size(_ messages: [Message]) -> Int { messages.reduce(0) { $0 + $1.body.count } }
}
