internal import Synchronization

/// The one batch that waits between the thread that receives and the task that processes.
final class PushQueue: Sendable {
    private struct State {
        var batch: PushBatch?
        var waiter: CheckedContinuation<Void, Never>?
        var isClosed = false
        var error: LogTransportError?
        var isEnded = false
        var endWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let wake: EventDescriptor

    /// A queue that wakes the receiving thread with `wake`.
    init(wake: EventDescriptor) { self.wake = wake }

    /// Whether a batch is wanted, and whether the end is.
    var demand: (hasRoom: Bool, isClosed: Bool) { state.withLock { ($0.batch == nil, $0.isClosed) } }

    func put(_ batch: PushBatch) { notify { $0.batch = batch } }

    /// Notes that nothing comes any more.
    func fail(_ error: LogTransportError) { notify { $0.error = error } }

    /// Notes that the thread has closed its socket.
    func end() {
        let waiters = state.withLock { state in
            state.isEnded = true
            defer { state.endWaiters = [] }
            return state.endWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The next batch; waits until there is one, and returns nil when the queue was closed or the task cancelled.
    func next() async throws(LogTransportError) -> PushBatch? {
        while true {
            let (batch, error, isClosed) = state.withLock { state in
                defer { state.batch = nil }
                return (state.isClosed ? nil : state.batch, state.error, state.isClosed)
            }
            if let batch {
                wake.set()
                return batch
            }
            if isClosed || Task.isCancelled { return nil }
            if let error { throw error }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        guard state.batch == nil, state.error == nil, !state.isClosed, !Task.isCancelled else {
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

    /// Has the thread end.
    func close() {
        notify { $0.isClosed = true }
        wake.set()
    }

    /// Waits until the thread has closed its socket.
    func waitForEnd() async {
        await withCheckedContinuation { continuation in
            let isEnded = state.withLock { state in
                if !state.isEnded { state.endWaiters.append(continuation) }
                return state.isEnded
            }
            if isEnded { continuation.resume() }
        }
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
