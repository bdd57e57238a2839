internal import DedicatedThread
internal import Logging
internal import Synchronization

/// One broker of a producer: appends batches to it in order, and lets them wait in a spool while it is away.
///
/// Either the spool is empty and a batch is tried at once, or what comes goes behind what waits there, and a task of its
/// own brings it to the broker. So the order is kept whatever happens, also over a restart.
actor Lane {
    /// The broker, as it describes itself.
    nonisolated let name: String
    private let broker: any Broker
    private let key: RoutingKey
    private let options: ProducerOptions
    private let spool: LaneSpool?
    private let patience: Duration
    private var logger: Logger

    private var writer: (any MessageWriter)?
    /// Whether messages wait in the spool, so that others go behind them.
    private var isBehind = false
    private var catchingUp: Task<Void, Never>?
    private var opening: Task<Void, Never>?
    /// Whether a batch of the spool is on its way.
    private var isAppending = false
    /// How many batches are being put into the spool now, and how often that was done.
    private var putting = 0
    private var puts = 0
    private let watchdog = Watchdog()
    private var counts = BrokerCounts.Numbers()
    private var lastFailure: MessageLogError?
    private var isClosing = false
    /// Who waits until nothing waits in the spool any more.
    private var waiters: [FirstAnswer<Bool>] = []

    init(_ broker: any Broker, key: RoutingKey, options: ProducerOptions, isSpooled: Bool) {
        self.broker = broker
        self.key = key
        self.options = options
        name = broker.description
        logger = options.logger
        logger[metadataKey: "broker"] = "\(name)"
        logger[metadataKey: "key"] = "\(key)"
        patience = options.patience ?? (isSpooled ? .seconds(1) : .seconds(30))
        spool = isSpooled ? LaneSpool(broker: name, key: key, options: options) : nil
    }

    // MARK: What the producer asks for

    /// How long a batch that is on its way from the spool may take when the lane ends.
    ///
    /// One that is given up may be stored all the same, and then it goes to the broker again with the next producer.
    private static let endingLimit = Duration.seconds(5)

    /// Looks whether messages wait in the spool from before, and begins to bring them to the broker; once.
    func open() async {
        if opening == nil { opening = Task { await takeOver() } }
        await opening?.value
    }

    private func takeOver() async {
        guard let spool else { return }
        do throws(MessageLogError) {
            guard try await spool.openExisting() else { return }
            let batches = await spool.waitingBatches
            logger.info("messages wait in the spool from before", metadata: ["batches": "\(batches)"])
            isBehind = true
            startCatchingUp(after: nil)
        } catch {
            logger.error("cannot look for messages of before", metadata: ["error": "\(error)"])
        }
    }

    /// Brings a batch to the broker, or into the spool; called with one after the other.
    func deliver(_ batch: MessageBatch) async -> BatchOutcome {
        let outcome = isBehind ? await putIntoSpool(batch, because: lastFailure) : await attempt(batch)
        let count = UInt64(batch.count)
        switch outcome {
        case .stored: counts.stored += count
        case .spooled: counts.spooled += count
        case .refused: counts.refused += count
        }
        return outcome
    }

    /// What became of messages so far, and what waits.
    func status() async -> BrokerCounts {
        BrokerCounts(
            broker: name, numbers: counts, waitingBatches: await spool?.waitingBatches ?? 0, isBehind: isBehind,
            lastFailure: isBehind ? lastFailure : nil)
    }

    /// Waits until nothing waits in the spool any more.
    ///
    /// - Returns: Whether that is so; `false` when the time is up.
    func waitUntilCaughtUp(until deadline: ContinuousClock.Instant) async -> Bool {
        await open()
        guard isBehind else { return true }
        let answer = FirstAnswer<Bool>()
        waiters.append(answer)
        let timer = Task {
            try? await Task.sleep(until: deadline)
            answer.offer(false)
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await answer.value()
        } onCancel: {
            answer.offer(false)
        }
    }

    private func caughtUp() {
        isBehind = false
        lastFailure = nil
        logger.info("the broker has all that waited in the spool")
        for waiter in waiters { waiter.offer(true) }
        waiters = []
    }

    /// Ends; what is in the spool stays there.
    func close() async {
        isClosing = true
        watchdog.stop()
        if let catchingUp {
            let timer = Task { [isAppending] in
                if isAppending { try? await Task.sleep(for: Self.endingLimit) }
                catchingUp.cancel()
            }
            await catchingUp.value
            timer.cancel()
        }
        await writer?.close()
        writer = nil
        await spool?.close()
    }

    // MARK: Appending

    /// An attempt that goes on while its batch is in the spool.
    private struct Appending {
        let batch: MessageBatch
        let task: Task<Result<AppendReceipt, MessageLogError>, Never>
    }

    private enum Attempt: Sendable {
        case ended(Result<AppendReceipt, MessageLogError>)
        case overdue
    }

    /// Tries to append a batch for as long as there is patience.
    private func attempt(_ batch: MessageBatch) async -> BatchOutcome {
        let answer = FirstAnswer<Attempt>()
        let appending = Task {
            let result = await append(batch)
            answer.offer(.ended(result))
            return result
        }
        watchdog.watch(until: .now + patience) { answer.offer(.overdue) }
        let first = await answer.value()
        watchdog.relax()
        if case .ended(let result) = first {
            if options.spooling == .always, spool != nil, case .failure(let error) = result, error.mayBeMended {
                return await putIntoSpool(batch, because: error)
            }
            return await outcome(of: result, for: batch)
        }
        guard spool != nil else {
            appending.cancel()
            return await outcome(of: appending.value, for: batch)
        }
        // It goes on: when it succeeds, the first of what waits is done.
        return await putIntoSpool(batch, because: lastFailure, appending: Appending(batch: batch, task: appending))
    }

    private func outcome(of result: Result<AppendReceipt, MessageLogError>, for batch: MessageBatch) async
        -> BatchOutcome
    {
        switch result {
        case .success(let receipt): return .stored(receipt)
        case .failure(let error) where error.code == .cancelled && !isClosing:
            let isKnown = error.isNothingStored
            return .refused(
                MessageLogError(
                    isKnown ? .unreachable : .ambiguous,
                    "\(name) has not taken the messages within \(patience): "
                        + (isKnown ? "nothing of them is stored" : "it is not known whether it has them"),
                    cause: error.cause ?? lastFailure))
        case .failure(let error): return .refused(error)
        }
    }

    /// Appends a batch, again and again while waiting may help.
    private func append(_ batch: MessageBatch) async -> Result<AppendReceipt, MessageLogError> {
        var pauses = Backoff(options.pauses)
        while true {
            do throws(MessageLogError) {
                let writer = try await openedWriter()
                let receipt = try await writer.append(batch)
                lastFailure = nil
                return .success(receipt)
            } catch {
                guard error.code != .cancelled else { return .failure(error) }
                lastFailure = error
                guard error.isWorthWaiting, !isClosing else { return .failure(error) }
            }
            guard (try? await Task.sleep(for: pauses.next())) != nil else {
                return .failure(lastFailure ?? MessageLogError(.cancelled, "\(name) was given up"))
            }
        }
    }

    private func openedWriter() async throws(MessageLogError) -> any MessageWriter {
        if let writer { return writer }
        let made = try await broker.makeWriter(for: key, maxInFlight: options.maxInFlight)
        writer = made
        return made
    }

    // MARK: The spool

    /// Puts a batch behind what waits in the spool.
    ///
    /// - Parameters:
    ///   - batch: The batch.
    ///   - failure: Why it does not go to the broker.
    ///   - appending: The attempt that goes on for this batch, when nothing waits before it.
    /// - Returns: Whether it waits, or why not.
    private func putIntoSpool(
        _ batch: MessageBatch, because failure: MessageLogError?, appending: Appending? = nil
    ) async -> BatchOutcome {
        guard let spool else { return .refused(failure ?? MessageLogError(.unreachable, "\(name) is away")) }
        putting += 1
        let result = await spool.put(batch)
        putting -= 1
        puts += 1
        if case .failure(let error) = result {
            appending?.task.cancel()
            logger.error("a message cannot wait in the spool", metadata: ["error": "\(error)"])
            if let appending, case .success(let receipt) = await appending.task.value { return .stored(receipt) }
            if isBehind, catchingUp == nil { startCatchingUp(after: nil) }
            return .refused(error)
        }
        if !isBehind {
            isBehind = true
            logger.warning(
                "the broker is away: messages wait in the spool",
                metadata: ["error": "\(failure?.description ?? "no answer within \(patience)")"])
        }
        if catchingUp == nil { startCatchingUp(after: appending) }
        return .spooled
    }

    private func startCatchingUp(after appending: Appending?) {
        guard !isClosing else { return }
        catchingUp = Task { await catchUp(after: appending) }
    }

    /// Brings what waits in the spool to the broker, in order, until nothing waits any more.
    private func catchUp(after appending: Appending?) async {
        defer { catchingUp = nil }
        guard let spool else { return }
        var appending = appending
        var pauses = Backoff(options.pauses)
        var isWaiting = false
        // Whether the broker has the first of what waits: then only the spool has still to let go of it.
        var isStored = false
        while !Task.isCancelled, !isClosing {
            let putsBefore = puts
            do throws(MessageLogError) {
                guard let batch = try await spool.first() else {
                    if putting > 0 || puts != putsBefore { continue }
                    return caughtUp()
                }
                if !isStored {
                    isAppending = true
                    defer { isAppending = false }
                    try await bring(batch, after: appending.take())
                    isStored = true
                }
                try await spool.removeFirst()
                isStored = false
                counts.caughtUp += UInt64(batch.count)
                pauses = Backoff(options.pauses)
                isWaiting = false
            } catch {
                guard !isClosing else { return }
                lastFailure = error
                // Nothing that waits here is given up: what the broker refuses may be mended on its side.
                if !isWaiting { logger.warning("messages wait in the spool", metadata: ["error": "\(error)"]) }
                isWaiting = true
                guard (try? await Task.sleep(for: pauses.next())) != nil else { return }
            }
        }
    }

    /// Appends the first of what waits, or waits for the attempt that was under way when it was put there.
    private func bring(_ batch: MessageBatch, after appending: Appending?) async throws(MessageLogError) {
        if let appending {
            // What another batch comes to says nothing of this one.
            let isSame = appending.batch.records == batch.records
            if !isSame { appending.task.cancel() }
            let result = await withTaskCancellationHandler {
                await appending.task.value
            } onCancel: {
                appending.task.cancel()
            }
            if isSame { return _ = try result.get() }
        }
        _ = try await append(batch).get()
    }
}

extension MessageLogError {
    /// Whether somebody may mend what the broker refuses: credentials, a folder's rights, a missing bucket.
    var mayBeMended: Bool { code != .invalidArgument && code != .cancelled && code != .closed }

    /// Whether a broker that says so may take the same messages later, with nobody having done anything wrong.
    var isWorthWaiting: Bool { isRetriable || code == .full }
}
