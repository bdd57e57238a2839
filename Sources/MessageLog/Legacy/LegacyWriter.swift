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
    private var lastTime: UTCTime?
    /// By how much this host's clock is behind the store's, in microseconds; small differences are none.
    private var lag: Int64 = 0
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
        /// It may be there under that name.
        case doubtful(String)
        case stored(String)

        var isStored: Bool { position != nil }

        var position: Position? {
            if case .stored(let name) = self { .name(name) } else { nil }
        }

        /// The name under which it may be there.
        var doubtfulName: String? {
            if case .doubtful(let name) = self { name } else { nil }
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
        unfinished = nil
        var missing = zip(batch, job.fates.indices).filter { !job.fates[$0.1].isStored }
            .map { (message: $0.0, index: $0.1, fate: job.fates[$0.1]) }[...]
        if !legacy.keepsTimes, nextComparison.map({ $0 <= environment.elapsed() }) ?? true,
            let first = missing.popFirst()
        {
            // The others wait until it is known how they are to be named.
            let (fate, error) = await write(first.message, first.fate, isUnique: isUnique, comparesClocks: true)
            job.fates[first.index] = fate
            if let error {
                unfinished = job
                throw error
            }
        }
        let answers = await results(of: missing, width: maxInFlight) { one throws(MessageLogError) in
            await self.write(one.message, one.fate, isUnique: isUnique, comparesClocks: false)
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
        return AppendReceipt(first: job.fates.first?.position, last: job.fates.last?.position)
    }

    func close() async { isClosed = true }

    // MARK: One message.

    private func write(
        _ message: MessageBatch.Element, _ fate: Fate, isUnique: Bool, comparesClocks: Bool
    ) async -> (Fate, MessageLogError?) {
        let body = Array(message.body)
        var name = fate.doubtfulName
        var attempt = 0
        while true {
            let isDoubtful = name != nil
            var isThere = false
            let tried = name ?? makeName(of: message, attempt: attempt, isUnique: isUnique)
            do throws(MessageLogError) {
                isThere = try await put(body, as: tried, isUnique: isUnique, isDoubtful: isDoubtful)
                if isThere {
                    guard comparesClocks, try await isLate(tried) else { return (.stored(tried), nil) }
                    // Nobody who has got further would find it there: it is stored under another name instead.
                    let (fate, error) = await write(message, .waiting, isUnique: isUnique, comparesClocks: false)
                    // Should it stay behind, it comes twice to those who are not as far.
                    if fate.isStored { try? await folder.base.store.delete(folder.base.object(tried)) }
                    return (fate, error)
                }
            } catch {
                return (isDoubtful || isThere || error.code == .ambiguous ? .doubtful(tried) : .waiting, error)
            }
            name = nil
            attempt += 1
        }
    }

    /// A name that this writer has not used.
    private func makeName(of message: MessageBatch.Element, attempt: Int, isUnique: Bool) -> String {
        let time = legacy.keepsTimes ? message.time.microseconds : environment.now().microseconds + lag
        let step: Int64 = attempt < 2 ? 1 : 1 + Int64(environment.random() % (1 << UInt64(min(attempt, 10))))
        let next = UTCTime(microseconds: lastTime.map { max(time, $0.microseconds + step) } ?? time)
        lastTime = next
        let names = folder.names
        return isUnique
            ? names.name(of: next) : names.name(of: next, chance: UInt32(truncatingIfNeeded: environment.random()))
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
            if abs(late) > tolerance { lag = max(0, lag + late) }
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
