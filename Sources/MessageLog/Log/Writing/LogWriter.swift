import CivilTime
import Logging
import ObjectStorage

/// Appends messages of one key to a log on an object store, beside any number of other writers (docs/message-log.md).
///
/// Calls that come while a segment is being put go into the next one together. One segment is under way at a time, so that
/// what is appended later stands later; a segment whose fate is unknown is brought to an end before anything else.
actor LogWriter: MessageWriter {
    private let folder: LogFolder
    private let options: LogOptions
    private let environment: LogEnvironment
    private let logger: Logger
    private let prepare: @Sendable () async throws(MessageLogError) -> Void
    private let identity: WriterID

    private var queue: [AppendJob] = []
    private var isRunning = false
    private var isClosed = false
    private var closers: [CheckedContinuation<Void, Never>] = []
    private var jobCount: UInt64 = 0
    private var batchCount: UInt64 = 0
    private var end: LogEnd?
    private var inHand: SegmentInHand?
    /// The attempt to put the segment in hand; ended early when nobody waits any more.
    private var attempting: Task<Result<Bool, MessageLogError>, Never>?
    /// A segment that nobody waits for any more, and that may be in the log or come to be there.
    private var unsettled: SegmentInHand?
    /// Jobs whose callers were told that their fate is unknown, and that are stored, or in part: the oldest first.
    private var unclaimed: [AppendJob] = []

    /// How many bytes of jobs are kept for callers that may call again.
    private static let unclaimedLimit = 16 << 20

    /// Creates a writer; nothing is asked of the store yet.
    ///
    /// - Parameters:
    ///   - folder: The key's objects.
    ///   - options: How to write.
    ///   - logger: Where is said what is tried again.
    ///   - prepare: Called before each attempt to put a segment, and kept from being costly by whoever gives it.
    init(
        folder: LogFolder, options: LogOptions, logger: Logger,
        prepare: @escaping @Sendable () async throws(MessageLogError) -> Void
    ) {
        self.folder = folder
        self.options = options
        self.logger = logger
        self.prepare = prepare
        environment = folder.environment
        identity = WriterID(high: environment.random(), low: environment.random())
    }

    func append(_ batch: MessageBatch) async throws(MessageLogError) -> AppendReceipt {
        guard !batch.isEmpty else {
            throw MessageLogError(.invalidArgument, "a batch without messages cannot be appended")
        }
        // Readers take a segment with more for a damaged one.
        guard
            batch.records.count <= Message.maximumBody
                || batch.allSatisfy({ $0.body.count <= Message.maximumBody })
        else {
            throw MessageLogError(
                .invalidArgument,
                "a message of more than \(Message.maximumBody) bytes cannot be in the log of \(folder.key)")
        }
        guard !isClosed else { throw Self.closedError }
        jobCount += 1
        let number = jobCount
        let deadline = environment.elapsed() + options.appendDeadline
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { caller in take(batch, as: number, until: deadline, from: caller) }
        } onCancel: {
            Task(executorPreference: environment.executor) { await self.giveUp(number) }
        }
        return try result.get()
    }

    func close() async {
        isClosed = true
        guard isRunning else { return }
        await withCheckedContinuation { closers.append($0) }
    }

    // MARK: Callers

    private func take(
        _ batch: MessageBatch, as number: UInt64, until deadline: Duration,
        from caller: CheckedContinuation<Result<AppendReceipt, MessageLogError>, Never>
    ) {
        if Task.isCancelled {
            caller.resume(returning: .failure(Self.cancelledError(mayBeStored: false, after: nil)))
            return
        }
        if let job = claim(batch, as: number) {
            job.caller = caller
            job.deadline = deadline
            if let receipt = job.receipt {
                job.answer(.success(receipt))
                return
            }
        } else {
            let job = AppendJob(number: number, batch: batch, limit: options.segmentBytes, deadline: deadline)
            job.caller = caller
            queue.append(job)
        }
        guard !isRunning else { return }
        isRunning = true
        Task(executorPreference: environment.executor) { await self.run() }
    }

    /// The job of an earlier call with the same batch, whose fate its caller was not told.
    private func claim(_ batch: MessageBatch, as number: UInt64) -> AppendJob? {
        func isSame(_ job: AppendJob) -> Bool { job.caller == nil && job.batch.records == batch.records }
        let job: AppendJob
        if let found = jobsOnTheirWay.first(where: isSame) {
            job = found
        } else if let index = unclaimed.firstIndex(where: isSame) {
            job = unclaimed.remove(at: index)
            // What is stored in part goes on where it was.
            if job.receipt == nil { queue.append(job) }
        } else {
            return nil
        }
        job.number = number
        return job
    }

    /// Jobs of which the fate of a segment tells.
    private var jobsOnTheirWay: [AppendJob] { (inHand?.jobs ?? []) + (unsettled?.jobs ?? []) }

    /// Answers a call whose task was cancelled.
    private func giveUp(_ number: UInt64) {
        let queued = queue.firstIndex { $0.number == number }.map { queue.remove(at: $0) }
        let job = queued ?? jobsOnTheirWay.first { $0.number == number }
        let caller = job?.caller.take()
        // A store that is away may be tried for minutes, and whoever closes the writer waits for that.
        let isEnding = inHand.map { queue.isEmpty && !isAwaited($0) } ?? false
        if isEnding { attempting?.cancel() }
        guard let job, let caller else { return }
        let segment =
            queued == nil ? [inHand, unsettled].compactMap(\.self).first { $0.jobs.contains { $0 === job } } : nil
        let mayBeStored = job.isBegun || segment.map { $0.mayBeStored || !isEnding } ?? false
        caller.resume(returning: .failure(Self.cancelledError(mayBeStored: mayBeStored, after: inHand?.lastFailure)))
        if queued != nil, job.isBegun { keep(job) }
    }

    private func keep(_ job: AppendJob) {
        unclaimed.append(job)
        var size = unclaimed.reduce(0) { $0 + $1.batch.records.count }
        while unclaimed.count > 1, size > Self.unclaimedLimit { size -= unclaimed.removeFirst().batch.records.count }
    }

    private static var closedError: MessageLogError { MessageLogError(.closed, "the writer was closed") }

    private static func cancelledError(mayBeStored: Bool, after failure: MessageLogError?) -> MessageLogError {
        MessageLogError(
            .cancelled,
            mayBeStored
                ? "the append was cancelled; its messages may be stored"
                : "the append was cancelled; nothing is stored",
            cause: failure, isNothingStored: !mayBeStored)
    }

    // MARK: One segment after the other

    private func run() async {
        while let segment = nextSegment() {
            inHand = segment
            await bring(segment)
            inHand = nil
        }
        isRunning = false
        for closer in closers { closer.resume() }
        closers = []
    }

    /// The segment whose fate is open, or else one of the jobs that wait; nil when nobody waits.
    private func nextSegment() -> SegmentInHand? {
        if let segment = unsettled, isAwaited(segment) {
            unsettled = nil
            return segment
        }
        guard let first = queue.first else { return nil }
        var jobs = [first]
        var size = first.nextPart.records.count
        if first.isWhole {
            for job in queue.dropFirst() {
                guard job.isWhole, size + job.batch.records.count <= options.segmentBytes else { break }
                size += job.batch.records.count
                jobs.append(job)
            }
        }
        queue.removeFirst(jobs.count)
        batchCount += 1
        let draft = SegmentDraft(
            jobs.map(\.nextPart.records), count: jobs.reduce(0) { $0 + $1.nextPart.count },
            latest: jobs.compactMap(\.batch.latest).max() ?? environment.now(), writer: identity, batch: batchCount)
        return SegmentInHand(draft: draft, jobs: jobs)
    }

    /// Whether anybody waits for a segment, or for what can only be put behind it.
    private func isAwaited(_ segment: SegmentInHand) -> Bool {
        segment.jobs.contains { $0.caller != nil } || segment.uncertainAt != nil && !queue.isEmpty
    }

    /// Tries until a segment is stored, or nobody waits for it any more.
    private func bring(_ segment: SegmentInHand) async {
        var failures = 0
        var races = 0
        while isAwaited(segment) {
            let (result, wasEnded) = await attemptWhileAwaited(
                races: races, after: pause(failures: failures, races: races))
            switch result {
            case .success(true): return settle(segment)
            case .success(false): races += 1
            case .failure(let error):
                // One that was ended because nobody waited is no news for who waits again meanwhile. What else says so
                // has an end of its own, and no deadline of a caller would end a loop over it.
                if error.code != .cancelled || !wasEnded {
                    segment.lastFailure = error
                    report(error, of: segment)
                }
                failures += 1
            }
        }
        abandon(segment)
    }

    private func pause(failures: Int, races: Int) -> Duration {
        // The first to lose a race goes on at once: the winner is done.
        guard failures > 0 || races > 1 else { return .zero }
        return environment.jittered(
            failures > 0
                ? min(.milliseconds(20 << min(failures, 7)), .seconds(2)) : .milliseconds(1 << min(races, 6)))
    }

    /// Makes an attempt in a task of its own, which is cancelled when nobody waits any more.
    ///
    /// - Returns: What came of it, and whether it was cancelled.
    private func attemptWhileAwaited(
        races: Int, after pause: Duration
    ) async -> (result: Result<Bool, MessageLogError>, wasEnded: Bool) {
        let task = Task(executorPreference: environment.executor) {
            await outcome { () throws(MessageLogError) in
                if pause > .zero { try await self.environment.wait(pause) }
                return try await self.attempt(races: races)
            }
        }
        attempting = task
        defer { attempting = nil }
        return (await task.value, task.isCancelled)
    }

    /// Tells the callers of a segment's jobs what went wrong: all of them, or those who do not want to wait any longer.
    private func report(_ error: MessageLogError, of segment: SegmentInHand) {
        logger.debug("cannot append", metadata: ["key": "\(folder.key)", "error": "\(error)"])
        let now = environment.elapsed()
        func isDone(_ job: AppendJob) -> Bool { !error.isRetriable || job.deadline <= now }
        let waiting = segment.jobs.filter { $0.caller != nil }
        for job in waiting where isDone(job) {
            job.answer(.failure(failure(error, mayBeStored: segment.uncertainAt != nil || job.isBegun)))
        }
        // With nobody waiting for the segment itself, it is tried for those behind it.
        guard waiting.isEmpty else { return }
        let behind = error.isRetriable ? queue.filter(isDone) : Array(queue.prefix(1))
        queue.removeAll { job in behind.contains { $0 === job } }
        for job in behind {
            job.answer(.failure(failure(error, mayBeStored: job.isBegun)))
            if job.isBegun { keep(job) }
        }
    }

    private func failure(_ error: MessageLogError, mayBeStored: Bool) -> MessageLogError {
        let code = error.isRetriable ? (mayBeStored ? .ambiguous : .unreachable) : error.code
        let fate = mayBeStored ? "; it is not known whether the messages are stored" : "; nothing is stored"
        return MessageLogError(code, "cannot append to \(folder.key) in \(folder.store)\(fate)", cause: error)
    }

    private func abandon(_ segment: SegmentInHand) {
        if segment.uncertainAt != nil {
            unsettled = segment
        } else {
            for job in segment.jobs where job.isBegun { keep(job) }
        }
    }

    private func settle(_ segment: SegmentInHand) {
        var sequence = segment.draft.header.firstSequence
        for job in segment.jobs {
            sequence = job.markStored(from: sequence)
            if job.caller == nil {
                keep(job)
            } else if let receipt = job.receipt {
                job.answer(.success(receipt))
            } else {
                queue.insert(job, at: 0)
            }
        }
    }

    // MARK: One attempt

    /// Puts the segment in hand at the end of the log as it is known.
    ///
    /// - Returns: Whether it is stored; if not, somebody else's has the number, and the next one is known.
    /// - Throws: Whatever kept it from being put, or from finding out.
    private func attempt(races: Int) async throws(MessageLogError) -> Bool {
        guard let segment = inHand else { return false }
        try await prepare()
        if let number = segment.uncertainAt, let isStored = try await findOut(segment, at: number) { return isStored }
        var end = try await currentEnd(isStale: segment.uncertainAt == nil && races % 4 == 3)
        // A segment that may be there already keeps its place: under that number it can be there but once.
        if segment.uncertainAt == nil {
            guard end.sequence + UInt64(segment.draft.header.count) <= SegmentHeader.numberLimit else {
                throw MessageLogError(.corrupt, "the log of \(folder.key) has used up all numbers of messages")
            }
            segment.draft.place(
                number: end.number, firstSequence: end.sequence, time: max(end.time, environment.now()))
        }
        let number = segment.draft.header.number
        let object = try folder.segment(number)
        let issuedAt = environment.elapsed()
        // Who gave it up was told that nothing is stored.
        if Task.isCancelled { throw MessageLogError(.cancelled, "nobody waits for \(object) any more") }
        segment.isBeingPut = true
        defer { segment.isBeingPut = false }
        do {
            try await folder.store.put(object, segment.draft.bytes, if: .absent)
        } catch {
            if error.code == .preconditionFailed {
                // The store may have tried twice, and have been answered by its own first attempt.
                segment.uncertainAt = number
                return try await findOut(segment, at: number) ?? false
            }
            if error.mayHaveWritten { segment.uncertainAt = number }
            throw MessageLogError(error, "cannot write \(object)")
        }
        segment.uncertainAt = number
        guard try await isCounted(number, since: end.knownAt) else { return forget(segment) }
        end.move(behind: segment.draft.header)
        end.knownAt = issuedAt
        self.end = end
        return true
    }

    private func currentEnd(isStale: Bool) async throws(MessageLogError) -> LogEnd {
        if let end, !isStale { return end }
        let found = try await folder.end(behind: end.map { $0.number - 1 } ?? 0, passesGaps: false)
        end = found
        return found
    }

    /// Looks whose segment has a number.
    ///
    /// - Returns: Whether it is this one; nil when there is none.
    private func findOut(_ segment: SegmentInHand, at number: UInt64) async throws(MessageLogError) -> Bool? {
        switch try await folder.header(number) {
        case .absent: return nil
        case .intact(let header) where header.writer == identity && header.batch == segment.draft.header.batch:
            guard let known = end, try await isCounted(number, since: known.knownAt) else { return forget(segment) }
            end?.move(behind: header)
            return true
        case .intact(let header):
            end?.move(behind: header)
        case .damaged:
            guard let (sequence, time) = try await folder.place(behind: number, start: try await folder.start()) else {
                return forget(segment)
            }
            end?.number = number + 1
            end?.sequence = sequence
            end?.time = time
        }
        segment.uncertainAt = nil
        return false
    }

    /// Whether a segment that was put counts: it does not when the log's start has moved past its number.
    ///
    /// That can only be when the number was used and deleted while this writer stood still.
    private func isCounted(_ number: UInt64, since knownAt: Duration) async throws(MessageLogError) -> Bool {
        guard environment.elapsed() - knownAt > LogOptions.freshKnowledge else { return true }
        return try await folder.start().segment <= number
    }

    /// Has a segment look for the log's end anew.
    private func forget(_ segment: SegmentInHand) -> Bool {
        segment.uncertainAt = nil
        end = nil
        return false
    }
}
