import CivilTime
import ObjectStorage

/// Writes messages of a key in the legacy layout, an object each.
///
/// A name is the time at which it is written, and never before that of the message before. One that is taken already is
/// passed over: by a microsecond at first, then by chance, so that writers whose clocks agree get apart.
actor LegacyWriter: MessageWriter {
    private let folder: LegacyFolder
    private let legacy: LegacyOptions
    /// How many messages of a batch may be on their way at once.
    private let maxInFlight: Int
    /// Whether the store keeps a writer from replacing what another one wrote.
    private let isUnique: @Sendable () async throws(MessageLogError) -> Bool
    private let namer: LegacyNamer
    /// When to compare the clocks again; at the first message at any rate.
    private var nextComparison: Duration?
    private var unfinished: Job?
    private var isClosed = false
    private let turns = Turns()

    private var environment: LogEnvironment { folder.base.environment }

    /// A batch on its way.
    private struct Job {
        let records: [UInt8]
        var fates: [Fate]
    }

    /// What has become of a message.
    private enum Fate {
        case waiting
        /// It is to be there under that name, at its place among the others of its batch.
        case named(String)
        /// It may be there under that name.
        case doubtful(String)
        case stored(String)

        var isStored: Bool { position != nil }

        var position: Position? {
            if case .stored(let name) = self { .name(name) } else { nil }
        }

        /// The name under which it is, may be, or is to be there.
        var name: String? {
            switch self {
            case .waiting: nil
            case .named(let name), .doubtful(let name), .stored(let name): name
            }
        }

        var isDoubtful: Bool {
            if case .doubtful = self { true } else { false }
        }
    }

    init(
        _ folder: LegacyFolder, legacy: LegacyOptions, maxInFlight: Int,
        isUnique: @escaping @Sendable () async throws(MessageLogError) -> Bool
    ) {
        self.folder = folder
        self.legacy = legacy
        self.maxInFlight = maxInFlight
        self.isUnique = isUnique
        namer = LegacyNamer(folder.names, keepsTimes: legacy.keepsTimes, environment: folder.base.environment)
    }

    func append(_ batch: MessageBatch) async throws(MessageLogError) -> AppendReceipt {
        try await turns.run { () throws(MessageLogError) in try await appendNow(batch) }
    }

    private func appendNow(_ batch: MessageBatch) async throws(MessageLogError) -> AppendReceipt {
        if isClosed { throw MessageLogError(.closed, "the writer of \(folder.key) was closed") }
        let isUnique = try await isUnique()
        // Of a batch that comes again, what was stored stays stored.
        var job = Job(records: batch.records, fates: Array(repeating: .waiting, count: batch.count))
        if let unfinished, unfinished.records == job.records { job = unfinished }
        unfinished = job
        var missing = zip(batch, job.fates.indices).filter { !job.fates[$0.1].isStored }
            .map { (message: $0.0, index: $0.1, fate: job.fates[$0.1]) }[...]
        if !legacy.keepsTimes, nextComparison.map({ $0 <= environment.elapsed() }) ?? true,
            let first = missing.popFirst()
        {
            // The others wait until it is known how they are to be named.
            let (fate, error) = await write(
                first.message, as: first.fate.name ?? namer.name(of: first.message, attempt: 0, isUnique: isUnique),
                isDoubtful: first.fate.isDoubtful, isUnique: isUnique, comparesClocks: true)
            job.fates[first.index] = fate
            unfinished = job
            if let error { throw error }
        }
        if legacy.keepsTimes { try await passWhatIsThere(missing.filter { $0.fate.name == nil }.map(\.message.time)) }
        // Each gets its name when it is its turn: those on their way together have names in the batch's order.
        let named = missing.lazy.map { @Sendable [namer] one in
            (
                message: one.message, isDoubtful: one.fate.isDoubtful,
                name: one.fate.name ?? namer.name(of: one.message, attempt: 0, isUnique: isUnique)
            )
        }
        let answers = await results(of: named, width: maxInFlight) { one throws(MessageLogError) in
            await self.write(
                one.message, as: one.name, isDoubtful: one.isDoubtful, isUnique: isUnique, comparesClocks: false)
        }
        var failure: MessageLogError?
        for (one, answer) in zip(missing, answers) {
            let (fate, error) = try answer.get()
            job.fates[one.index] = fate
            failure = failure ?? error
        }
        if let failure {
            unfinished = job
            throw failure
        }
        unfinished = nil
        return AppendReceipt(first: job.fates.first?.position, last: job.fates.last?.position)
    }

    func close() async { isClosed = true }

    /// Has messages that are named after their own times get their names behind those that are there in the same span of
    /// time, from a copy that was interrupted, say: one that found its name taken would get behind those after it.
    private func passWhatIsThere(_ times: [UTCTime]) async throws(MessageLogError) {
        guard let first = times.first, let latest = times.max() else { return }
        var start = namer.earliest(for: first)
        var name = folder.names.name(of: UTCTime(microseconds: start - 1))
        while true {
            let page = try await folder.list(after: name)
            for entry in page.entries {
                // The last name that can be given, each being a microsecond behind the one before at least.
                guard entry.time.microseconds < max(latest.microseconds, start) + Int64(times.count) else { return }
                namer.pass(entry.time)
                start = max(start, entry.time.microseconds + 1)
            }
            guard let next = page.end else { return }
            name = next
        }
    }

    // MARK: One message.

    /// Stores a message under a name, or another one where that is taken.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - name: The name to try first; `nil` where there is none.
    ///   - isDoubtful: Whether it may be there under that name already.
    ///   - isUnique: Whether the store keeps names from being used twice.
    ///   - comparesClocks: Whether to look at the store's clock afterwards.
    /// - Returns: What became of it, and the error where it is not known to be stored.
    private func write(
        _ message: MessageBatch.Element, as name: String?, isDoubtful: Bool, isUnique: Bool, comparesClocks: Bool
    ) async -> (Fate, MessageLogError?) {
        let body = Array(message.body)
        var (nextName, isDoubtful) = (name, isDoubtful)
        var attempt = 0
        while true {
            guard let name = nextName else { return (.waiting, noName) }
            var isThere = false
            do throws(MessageLogError) {
                isThere = try await put(body, as: name, isUnique: isUnique, isDoubtful: isDoubtful)
                if isThere {
                    guard comparesClocks, try await isLate(name) else { return (.stored(name), nil) }
                    // Nobody who has got further would find it there: it is stored under another name instead.
                    let (fate, error) = await write(
                        message, as: namer.name(of: message, attempt: 0, isUnique: isUnique), isDoubtful: false,
                        isUnique: isUnique, comparesClocks: false)
                    // Should it stay behind, it comes twice to those who are not as far.
                    if fate.isStored { try? await folder.base.store.delete(folder.base.object(name)) }
                    return (fate, error)
                }
            } catch {
                let mayBeThere = (error.cause as? ObjectStoreError)?.mayHaveWritten ?? true
                if isDoubtful || isThere || mayBeThere { return (.doubtful(name), error) }
                // Names that are times of writing grow old meanwhile, and consumers pass them by.
                return (legacy.keepsTimes ? .named(name) : .waiting, error)
            }
            attempt += 1
            isDoubtful = false
            nextName = namer.name(of: message, attempt: attempt, isUnique: isUnique)
        }
    }

    private var noName: MessageLogError {
        MessageLogError(
            .unfit,
            "there is no name for another message of \(folder.key): names are times, and those up to "
                + "\(UTCTime.range.upperBound) are used")
    }

    /// Stores a message.
    ///
    /// - Returns: Whether it is there; else the name is another message's.
    private func put(
        _ body: [UInt8], as name: String, isUnique: Bool, isDoubtful: Bool
    ) async throws(MessageLogError) -> Bool {
        let object = try folder.base.object(name)
        do {
            try await folder.base.store.put(object, body, if: isUnique ? .absent : .always)
            return true
        } catch {
            switch error.code {
            case .preconditionFailed: return isDoubtful ? try await has(object, body) : false
            case .ambiguous where (try? await has(object, body)) == true: return true
            default: throw MessageLogError(error, "cannot store a message as \(object)")
            }
        }
    }

    /// Compares this host's clock with the store's, by a message that has just been stored.
    ///
    /// - Returns: Whether the message is named after a time that is past by so much that consumers may not look there.
    private func isLate(_ name: String) async throws(MessageLogError) -> Bool {
        guard let time = folder.names.time(of: name) else { return false }
        let object = try folder.base.object(name)
        do {
            let late = try await folder.base.store.head(object).modified.microseconds - time.microseconds
            nextComparison = environment.elapsed() + .seconds(600)
            let tolerance = max(1_000_000, legacy.lookBackMicroseconds / 2)
            if abs(late) > tolerance { namer.add(late) }
            return late > tolerance
        } catch {
            if error.code == .notFound { return false }
            throw MessageLogError(error, "cannot find out when \(object) was stored")
        }
    }

    /// Whether an object is there and has that content.
    private func has(_ object: ObjectKey, _ body: [UInt8]) async throws(MessageLogError) -> Bool {
        do {
            return try await folder.base.store.get(object).bytes == body
        } catch {
            if error.code == .notFound { return false }
            throw MessageLogError(error, "it is not known whether a message was stored as \(object)")
        }
    }
}
