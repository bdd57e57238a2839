import Logging

/// One run of a consumer, from the opening of its reader to its end: what it has at hand, and what it has handled.
///
/// Messages go from the reader through a queue to the handler. The cursor is moved behind those that were handled, not
/// behind each: when they have been for the commit interval, and when there is nothing more to handle.
struct ConsumerRun {
    let subscription: Subscription
    private let handler: Handler
    /// Whether it waits for a store or broker that cannot be reached.
    private let isPatient: Bool
    private let seat: ReaderSeat
    private var parking: ParkingLot?
    private var queue = MessageQueue()
    private var handled = HandledMessages()
    private(set) var counts = ConsumerCounts()
    /// The reader of which it is known whether it had to wait for another consumer.
    private var reader = 0
    /// Whether it is known that there are such keys.
    private var hasKeys = false

    private var clock: ConsumerClock { subscription.clock }

    /// Checks what can be checked before anything is read.
    private init(_ subscription: Subscription, _ handler: Handler, isPatient: Bool) throws(MessageLogError) {
        if case .lists(let limits, _) = handler { try limits.check() }
        seat = ReaderSeat(subscription, follows: isPatient)
        try subscription.check(with: seat.broker())
        self.subscription = subscription
        self.handler = handler
        self.isPatient = isPatient
    }

    /// Handles all that there is now.
    static func consume(
        _ subscription: Subscription, _ handler: Handler
    ) async throws(MessageLogError) -> ConsumerCounts {
        var run = try ConsumerRun(subscription, handler, isPatient: false)
        do throws(MessageLogError) {
            try await run.handleAll()
        } catch {
            await run.end(after: error)
            throw error
        }
        await run.end()
        return run.counts
    }

    /// Handles what there is and what comes, until the task is cancelled.
    static func follow(
        _ subscription: Subscription, _ handler: Handler, interval: Duration
    ) async throws(MessageLogError) -> ConsumerCounts {
        guard interval > .zero else {
            throw MessageLogError(
                .invalidArgument, "a consumer that looks for more every \(interval): that has to be above 0")
        }
        var run = try ConsumerRun(subscription, handler, isPatient: true)
        var patience = Patience(clock: subscription.clock, logger: subscription.logger)
        while !Task.isCancelled {
            do throws(MessageLogError) {
                try await run.handleAll()
                patience.reset()
                try await run.seat.reader().waitForMore(atMost: interval)
            } catch {
                do throws(MessageLogError) {
                    try await run.recover(from: error, &patience)
                } catch {
                    if Task.isCancelled { break }
                    await run.end(after: error)
                    throw error
                }
            }
        }
        await run.end()
        return run.counts
    }

    // MARK: The reader.

    /// Waits, and has a reader that lost its lease replaced by another.
    private mutating func recover(
        from error: MessageLogError, _ patience: inout Patience
    ) async throws(MessageLogError) {
        if error.code == .leaseLost {
            // The other consumer gets what this one has handled but not committed, and all that is in the queue.
            handled.removeAll()
            queue = MessageQueue()
            await seat.leave()
        } else if !error.isRetriable {
            throw error
        }
        try await patience.wait(after: error)
    }

    /// Moves the cursor, unless it is another's, and lets go of everything.
    private mutating func end(after error: MessageLogError? = nil) async {
        if error?.code != .leaseLost {
            do throws(MessageLogError) {
                try await commit()
            } catch {
                subscription.logger.warning(
                    "the cursor was not moved; what was handled last will come again",
                    metadata: [LogKey.error: "\(error)"])
            }
        }
        await parking?.close()
        await seat.close()
    }

    // MARK: Messages.

    /// Handles what there is, and returns when the reader has no more and the cursor stands behind it.
    private mutating func handleAll() async throws(MessageLogError) {
        // What an earlier failure has left.
        try await handleQueue(isAll: false)
        try await commit()
        while true {
            let messages: [Message]
            do throws(MessageLogError) {
                messages = try await nextMessages()
            } catch {
                // What was read before is as good as ever, unless another consumer has it now.
                if error.code != .leaseLost, error.code != .cancelled { try await handleQueue(isAll: true) }
                throw error
            }
            queue.append(messages, countsBytes: makesLists)
            try await handleQueue(isAll: messages.isEmpty)
            // RabbitMQ, for one, gives more when it knows that what it gave has been handled.
            if messages.isEmpty, try await !commit() { return }
        }
    }

    /// The next messages; says what it waits for, so that nobody wonders why nothing comes.
    private mutating func nextMessages() async throws(MessageLogError) -> [Message] {
        let reader = try await seat.reader()
        if self.reader != seat.generation {
            if try await !reader.takeLease() {
                let holder = await reader.leaseHolder()
                subscription.logger.notice(
                    "another consumer of this name reads; waiting until it ends",
                    metadata: holder.map { [LogKey.holder: "\($0)"] })
            }
            self.reader = seat.generation
        }
        let messages = try await reader.next()
        if messages.isEmpty, !hasKeys { await tellOfMissingKeys() }
        hasKeys = true
        return messages
    }

    /// Says so when there is no key that could have messages, which may be a slip of the pen.
    private func tellOfMissingKeys() async {
        // Where the broker does not tell, or may not, there is nothing to say.
        let pattern = try? subscription.pattern
        guard let pattern, let keys = try? await seat.broker().keys(matching: pattern), keys.isEmpty else { return }
        subscription.logger.notice("there is no such key yet")
    }

    private var makesLists: Bool {
        if case .lists = handler { true } else { false }
    }

    /// Handles what is in the queue; when that is all for now, a list may be shorter than it could be.
    private mutating func handleQueue(isAll: Bool) async throws(MessageLogError) {
        while true {
            if Task.isCancelled { throw MessageLogError(.cancelled, "the consumer was cancelled") }
            if handled.isEmpty { handled.since = clock.now() }
            let due = handled.since + subscription.options.commitInterval
            let step =
                switch handler {
                case .each(let body): step(body, until: due)
                case .eachAsync(let body): await step(body, until: due)
                case .lists(let limits, let body): await step(body, within: limits, isAll: isAll)
                }
            switch step {
            case .idle: return
            case .went: if clock.now() >= due { try await commit() }
            case .failed(let messages, let error): try await overcome(error, at: messages)
            }
        }
    }

    /// What became of an attempt to get on.
    private enum Step {
        /// There was nothing to handle.
        case idle
        /// Messages were handled.
        case went
        /// The handler failed with these.
        case failed([Message], any Error)
    }

    private mutating func step(_ body: (Message) throws -> Void, until due: Duration) -> Step {
        let messages = queue.messages
        let start = queue.position
        var position = start
        defer { note(position - start) }
        guard start < messages.count else { return .idle }
        let now = clock.now
        repeat {
            do {
                try body(messages[position])
            } catch {
                return .failed([messages[position]], error)
            }
            position += 1
        } while position < messages.count && now() < due && !Task.isCancelled
        return .went
    }

    private mutating func step(_ body: (Message) async throws -> Void, until due: Duration) async -> Step {
        let messages = queue.messages
        let start = queue.position
        var position = start
        defer { note(position - start) }
        guard start < messages.count else { return .idle }
        let now = clock.now
        repeat {
            do {
                try await body(messages[position])
            } catch {
                return .failed([messages[position]], error)
            }
            position += 1
        } while position < messages.count && now() < due && !Task.isCancelled
        return .went
    }

    private mutating func step(
        _ body: ([Message]) async throws -> Void, within limits: ListLimits, isAll: Bool
    ) async -> Step {
        guard !queue.isEmpty, isAll || !queue.hasRoom(within: limits) else { return .idle }
        let list = Array(queue.list(within: limits))
        do {
            try await body(list)
        } catch {
            return .failed(list, error)
        }
        note(list.count)
        return .went
    }

    private mutating func note(_ count: Int) {
        guard count > 0 else { return }
        handled.append(queue.removeFirst(count, countsBytes: makesLists))
        counts.handled += count
    }

    // MARK: Moving the cursor.

    /// Moves the cursor behind what was handled, also when the task has been cancelled.
    ///
    /// - Returns: Whether anything had been handled.
    @discardableResult
    private mutating func commit() async throws(MessageLogError) -> Bool {
        guard !handled.isEmpty else { return false }
        try await seat.commit(through: handled.messages)
        handled.removeAll()
        return true
    }

    // MARK: Failures.

    /// Runs the handler again, with pauses between; puts aside what it cannot deal with.
    private mutating func overcome(_ failure: any Error, at messages: [Message]) async throws(MessageLogError) {
        // What was handled before does not come again, whatever happens in the pauses.
        try await commit()
        var failure = failure
        let retry = subscription.options.retry
        for attempt in 1..<retry.attempts {
            if Task.isCancelled { throw MessageLogError(.cancelled, "the consumer was cancelled") }
            let pause = retry.pause(after: attempt)
            report("the handler failed; it gets the message again", failure, messages, [LogKey.retryIn: "\(pause)"])
            try await clock.pause(pause)
            counts.retries += 1
            do {
                try await handler(messages)
                note(messages.count)
                return
            } catch {
                failure = error
            }
        }
        if Task.isCancelled { throw MessageLogError(.cancelled, "the consumer was cancelled") }
        try await park(messages, because: failure)
    }

    private mutating func park(_ messages: [Message], because failure: any Error) async throws(MessageLogError) {
        guard let deadLetters = subscription.options.deadLetters else {
            throw MessageLogError(
                .handlerFailed,
                "the handler failed \(times(subscription.options.retry.attempts)) with \(name(messages)), "
                    + "and the cursor stays before it; set a dead-letter key to have such messages put aside",
                cause: failure)
        }
        report(
            "the handler failed at every attempt; the message is put aside", failure, messages,
            [LogKey.deadLetters: "\(deadLetters.key)"])
        if parking == nil { parking = ParkingLot(deadLetters, subscription, broker: try seat.broker()) }
        let isPatient = isPatient
        try await parking?.park(messages, because: failure, isPatient: isPatient)
        handled.append(queue.removeFirst(messages.count, countsBytes: makesLists))
        counts.parked += messages.count
        try await commit()
    }

    private func times(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }

    private func name(_ messages: [Message]) -> String {
        guard let first = messages.first, let last = messages.last else { return "no message" }
        let start = "message \(first.position) of \(first.key)"
        return messages.count == 1
            ? start : "\(messages.count) messages, from \(start) to \(last.position) of \(last.key)"
    }

    private func report(
        _ text: Logger.Message, _ failure: any Error, _ messages: [Message], _ metadata: Logger.Metadata
    ) {
        var metadata = metadata
        metadata[LogKey.error] = "\(failure)"
        metadata[LogKey.position] = "\(name(messages))"
        subscription.logger.warning(text, metadata: metadata)
    }
}
