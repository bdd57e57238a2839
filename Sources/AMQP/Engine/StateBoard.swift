internal import Synchronization

/// What a connection is doing, for those who look and those who listen.
final class StateBoard: Sendable {
    private struct State {
        var current = ConnectionState.connecting
        var lastFailure: AMQPError?
        var listeners: [Int: AsyncStream<ConnectionState>.Continuation] = [:]
        var lastListener = 0
    }

    private let state = Mutex(State())

    var current: ConnectionState { state.withLock(\.current) }

    /// Why the last attempt failed; `nil` once the connection works.
    var lastFailure: AMQPError? { state.withLock(\.lastFailure) }

    /// Tells everybody, and nobody of anything after `closed`; to be called by one thread.
    func set(_ new: ConnectionState) {
        let listeners = state.withLock { state -> [AsyncStream<ConnectionState>.Continuation] in
            if case .closed = state.current { return [] }
            state.current = new
            switch new {
            case .waiting(let error, _): state.lastFailure = error
            case .connected, .blocked: state.lastFailure = nil
            case .connecting, .closed: break
            }
            defer { if case .closed = new { state.listeners = [:] } }
            return Array(state.listeners.values)
        }
        // Not with the lock held: to wake a task takes the lock of its status, and a task that is cancelled takes ours,
        // to have its listener removed, while it holds that.
        for listener in listeners {
            listener.yield(new)
            if case .closed = new { listener.finish() }
        }
    }

    /// The present state and those that follow; of those that nobody took in time the oldest are left out.
    func states() -> AsyncStream<ConnectionState> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ConnectionState.self, bufferingPolicy: .bufferingNewest(64))
        let number = state.withLock { state -> Int in
            continuation.yield(state.current)
            if case .closed = state.current {
                continuation.finish()
                return 0
            }
            state.lastListener += 1
            state.listeners[state.lastListener] = continuation
            return state.lastListener
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }
}
