internal import Synchronization

/// The batches between the thread that receives and the task that processes, and how far that one has come.
///
/// No more comes than the window of each sender. What senders that are gone have left is not dropped, as nobody else may
/// have it; ``isFull`` says when there is so much of it that others have to wait.
final class ReliableQueue: Sendable {
    /// How much may wait before ``isFull`` is true, in bytes.
    struct Limits: Sendable {
        /// What is here of sessions that are over.
        var kept = 8 << 20
        /// All that is here; more than the windows of all senders.
        var total = 136 << 20
    }

    private struct State {
        var batches: [ReliableBatch] = []
        /// The memory of ``batches``, and of those that are ``kept``.
        var bytes = 0
        var keptBytes = 0
        /// Sessions that are over and have batches here.
        var kept: Set<ReceiverMachine.SessionKey> = []
        var progress: [ReceiverMachine.SessionKey: WireMessage.Progress] = [:]
        var waiter: CheckedContinuation<Void, Never>?
        var isWaked = false
        var isClosed = false
        var error: LogTransportError?
        var isEnded = false
        var garbage: UInt64 = 0
        var endWaiters: [CheckedContinuation<Void, Never>] = []

        /// Drops what is here of sessions that are over, as their sender lives, and sends it again.
        ///
        /// Else each time that it is lost and comes back would add to what waits here.
        mutating func dropRepeated(by sender: SenderID) {
            removeAll { $1 && $0.sender == sender }
            let present = Set(batches.map(\.session))
            kept.formIntersection(present)
        }

        /// Drops the batches for which `isDropped` is true; its second argument says whether the session is over.
        mutating func removeAll(where isDropped: (ReliableBatch, Bool) -> Bool) {
            let kept = kept
            batches.removeAll { isDropped($0, kept.contains($0.session)) }
            bytes = 0
            keptBytes = 0
            for batch in batches {
                bytes += batch.memory
                if kept.contains(batch.session) { keptBytes += batch.memory }
            }
        }

        mutating func takeFirst() -> ReliableBatch? {
            guard !batches.isEmpty else { return nil }
            let batch = batches.removeFirst()
            bytes -= batch.memory
            if kept.contains(batch.session) { keptBytes -= batch.memory }
            return batch
        }
    }

    private let state = Mutex(State())
    private let wake: EventDescriptor
    private let limits: Limits

    /// A queue that wakes the receiving thread with `wake`.
    init(wake: EventDescriptor, limits: Limits = Limits()) {
        self.wake = wake
        self.limits = limits
    }

    // MARK: The receiving thread

    func append(_ batch: ReliableBatch) {
        notify { state in
            if !state.kept.isEmpty { state.dropRepeated(by: batch.sender) }
            state.batches.append(batch)
            state.bytes += batch.memory
        }
    }

    /// Whether so much waits here that sessions which begin have to wait.
    var isFull: Bool {
        state.withLock { $0.keptBytes >= limits.kept || $0.bytes >= limits.total }
    }

    /// Notes that a session is over, and that what is here of it may be all that there is.
    func keep(_ session: ReceiverMachine.SessionKey) {
        state.withLock { state in
            let bytes = state.batches.reduce(0) { $0 + ($1.session == session ? $1.memory : 0) }
            if bytes > 0, state.kept.insert(session).inserted { state.keptBytes += bytes }
        }
    }

    /// Drops what has not been taken of a session.
    func discard(_ session: ReceiverMachine.SessionKey) {
        state.withLock { state in
            state.removeAll { batch, _ in batch.session == session }
            state.progress[session] = nil
        }
    }

    /// How far the sessions have come since the last call, and whether the end is wanted.
    func takeProgress() -> (progress: [ReceiverMachine.SessionKey: WireMessage.Progress], isClosed: Bool) {
        state.withLock { state in
            wake.clear()
            state.isWaked = false
            defer { state.progress = [:] }
            return (state.progress, state.isClosed)
        }
    }

    /// Messages that came in and are none of the protocol, or break it.
    var garbage: UInt64 { state.withLock { $0.garbage } }

    func noteGarbage(_ count: UInt64) { state.withLock { $0.garbage = count } }

    /// Notes that nothing comes any more.
    func fail(_ error: LogTransportError) {
        notify { $0.error = $0.error ?? error }
    }

    /// Notes that the thread has closed its sockets.
    func end() {
        let waiters = state.withLock { state in
            state.isEnded = true
            defer { state.endWaiters = [] }
            return state.endWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: The processing task

    /// The next batch; waits until there is one, and returns nil when the queue was closed or the task cancelled.
    func next() async throws(LogTransportError) -> ReliableBatch? {
        while true {
            let (batch, error, isEnd) = state.withLock { state in
                guard !state.isClosed else { return (nil as ReliableBatch?, nil as LogTransportError?, true) }
                return (state.takeFirst(), state.error, false)
            }
            if let batch { return batch }
            if let error { throw error }
            if isEnd || Task.isCancelled { return nil }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        guard state.batches.isEmpty, state.error == nil, !state.isClosed, !Task.isCancelled else {
                            return true
                        }
                        state.waiter = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                notify { _ in }
            }
        }
    }

    /// Notes how far the processing of a session has come.
    func processed(_ progress: WireMessage.Progress, in session: ReceiverMachine.SessionKey) {
        state.withLock { state in
            state.progress[session] = max(state.progress[session] ?? progress, progress)
            wakeThread(&state)
        }
    }

    /// Has the thread end.
    func close() {
        notify { state in
            state.isClosed = true
            wakeThread(&state)
        }
    }

    /// Waits until the thread has closed its sockets.
    func waitForEnd() async {
        await withCheckedContinuation { continuation in
            let isEnded = state.withLock { state in
                if !state.isEnded { state.endWaiters.append(continuation) }
                return state.isEnded
            }
            if isEnded { continuation.resume() }
        }
    }

    private func wakeThread(_ state: inout State) {
        guard !state.isWaked else { return }
        state.isWaked = true
        wake.set()
    }

    private func notify(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
