internal import CivilTime
internal import DedicatedThread
internal import Synchronization

/// Where messages come together into batches: filled by those who send, emptied by the one task that sends them on.
///
/// Adding a message is a copy of its bytes behind a lock, and wakes nobody but for the first and the last of a batch.
final class Gatherer: Sendable {
    /// Messages that go together.
    struct Gathered: Sendable {
        var messages: MessageBatch
        let fate: BatchFate
    }

    private struct State {
        var open: Gathered?
        var openBytes = 0
        var openCount = 0
        /// Since when the open batch has messages.
        var opened = ContinuousClock.Instant.now
        /// Whether the open batch waits for nobody.
        var isUrgent = false
        /// Batches that are full, oldest first.
        var full: [Gathered] = []
        /// The bytes of all that is not settled.
        var heldBytes = 0
        var nextNumber: UInt64 = 1
        var waiters: [FirstAnswer<MessageLogError?>] = []
        var isClosed = false
        /// How large the last batch was: what the next one makes room for.
        var usualBytes = 0
        /// The fate of the newest message.
        var newest: BatchFate?
    }

    private let state = Mutex(State())
    private let batching: ProducerOptions.Batching
    private let bufferBytes: Int
    private let news = WakeUp()

    init(_ batching: ProducerOptions.Batching, bufferBytes: Int) {
        self.batching = batching
        self.bufferBytes = bufferBytes
    }

    // MARK: Those who send

    /// Adds a message.
    ///
    /// - Parameters:
    ///   - body: What it says.
    ///   - time: When it was sent.
    ///   - isUrgent: Whether the batch is to go as soon as the one before it has gone.
    /// - Returns: The message's handle; `nil` when there is no room.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument` or `closed`.
    func add(_ body: UnsafeRawBufferPointer, at time: UTCTime, isUrgent: Bool) throws(MessageLogError) -> SentMessage? {
        try checkBody(body.count)
        let added = try state.withLock { state throws(MessageLogError) -> (SentMessage, needsWake: Bool)? in
            try checkOpen(state.isClosed)
            let need = MessageBatch.recordHeader + body.count
            guard hasRoom(for: need, beside: state.heldBytes) else { return nil }
            var (fate, needsWake) = makePlace(for: need, in: &state)
            if isUrgent, !state.isUrgent {
                state.isUrgent = true
                needsWake = true
            }
            state.open?.messages.append(body, at: time)
            state.openBytes += need
            state.openCount += 1
            if state.openBytes >= batching.bytes || state.openCount >= batching.count {
                seal(&state)
                needsWake = true
            }
            let sent = SentMessage(number: state.nextNumber, fate: fate)
            state.heldBytes += need
            state.nextNumber += 1
            return (sent, needsWake)
        }
        guard let (sent, needsWake) = added else { return nil }
        if needsWake { news.ring() }
        return sent
    }

    /// The same, with the failure as a value.
    func attempt(
        _ body: UnsafeRawBufferPointer, at time: UTCTime, isUrgent: Bool
    ) -> Result<SentMessage?, MessageLogError> {
        do throws(MessageLogError) {
            return .success(try add(body, at: time, isUrgent: isUrgent))
        } catch {
            return .failure(error)
        }
    }

    /// Adds messages that were gathered elsewhere, as a batch of their own.
    ///
    /// - Returns: The handle of the last; `nil` when there is no room.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument` or `closed`.
    func add(_ messages: MessageBatch) throws(MessageLogError) -> SentMessage? {
        guard !messages.isEmpty else { throw MessageLogError(.invalidArgument, "a batch has no message") }
        let added = try state.withLock { state throws(MessageLogError) -> SentMessage? in
            try checkOpen(state.isClosed)
            guard hasRoom(for: messages.records.count, beside: state.heldBytes) else { return nil }
            seal(&state)
            let fate = BatchFate(first: state.nextNumber)
            state.full.append(Gathered(messages: messages, fate: fate))
            state.newest = fate
            state.heldBytes += messages.records.count
            state.nextNumber += UInt64(messages.count)
            return SentMessage(number: state.nextNumber - 1, fate: fate)
        }
        if added != nil { news.ring() }
        return added
    }

    /// Waits until there may be room.
    func waitForRoom() async throws(MessageLogError) {
        let waiter = FirstAnswer<MessageLogError?>()
        let mustWait = state.withLock { state in
            guard state.heldBytes > 0, !state.isClosed else { return false }
            state.waiters.append(waiter)
            return true
        }
        guard mustWait else { return }
        // What is to make room goes at once, however long it might wait for company.
        hurry()
        let error = await withTaskCancellationHandler {
            await waiter.value()
        } onCancel: {
            waiter.offer(MessageLogError(.cancelled, "the task was cancelled: its message was not taken"))
        }
        if let error { throw error }
    }

    /// Lets what is gathered go as soon as the batch before it has gone.
    func hurry() {
        state.withLock { $0.isUrgent = $0.open != nil }
        news.ring()
    }

    /// How many messages were taken.
    var taken: UInt64 { state.withLock { $0.nextNumber - 1 } }

    /// The fate of the newest message.
    var newest: BatchFate? { state.withLock { $0.newest } }

    /// Takes no more messages; those that are there go.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.offer(nil) }
        news.ring()
    }

    private func checkBody(_ count: Int) throws(MessageLogError) {
        if count > Message.maximumBody {
            throw MessageLogError(
                .invalidArgument,
                "a body of \(count) bytes is too long: \(Message.maximumBody) is the most; send it in parts, or put it "
                    + "elsewhere and send its name")
        }
    }

    private func checkOpen(_ isClosed: Bool) throws(MessageLogError) {
        if isClosed { throw MessageLogError(.closed, "the producer was closed") }
    }

    /// One message is taken when there is no other, however long.
    private func hasRoom(for bytes: Int, beside heldBytes: Int) -> Bool {
        heldBytes == 0 || heldBytes + bytes <= bufferBytes
    }

    /// Makes sure of an open batch to which so many bytes may be added.
    ///
    /// - Returns: Its fate, and whether there is something new for the one who takes batches.
    private func makePlace(for bytes: Int, in state: inout State) -> (BatchFate, needsWake: Bool) {
        if let open = state.open {
            if state.openBytes + bytes <= batching.bytes { return (open.fate, false) }
            seal(&state)
        }
        var messages = MessageBatch()
        messages.reserveCapacity(max(bytes, state.usualBytes))
        let fate = BatchFate(first: state.nextNumber)
        state.open = Gathered(messages: messages, fate: fate)
        state.newest = fate
        state.opened = .now
        state.openBytes = 0
        state.openCount = 0
        return (fate, true)
    }

    private func seal(_ state: inout State) {
        guard let open = state.open.take() else { return }
        state.usualBytes = open.messages.records.count
        state.full.append(open)
        state.isUrgent = false
    }

    // MARK: The one who sends on

    /// The next batch, as soon as it is full or has waited long enough; `nil` when it was closed and all are gone.
    func next() async -> Gathered? {
        while true {
            let (batch, due, isOver) = state.withLock { take(&$0) }
            if let batch { return batch }
            if isOver { return nil }
            if let due {
                await news.wait(until: due)
            } else {
                await news.wait()
            }
        }
    }

    private func take(_ state: inout State) -> (Gathered?, due: ContinuousClock.Instant?, isOver: Bool) {
        if !state.full.isEmpty { return (state.full.removeFirst(), nil, false) }
        guard state.open != nil else { return (nil, nil, state.isClosed) }
        let due = state.opened + batching.interval
        guard state.isUrgent || state.isClosed || due <= .now else {
            return (nil, due, false)
        }
        seal(&state)
        return (state.full.removeFirst(), nil, false)
    }

    /// Gives back the room that messages took.
    func release(_ bytes: Int) {
        let waiters = state.withLock { state in
            state.heldBytes -= bytes
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.offer(nil) }
    }
}
