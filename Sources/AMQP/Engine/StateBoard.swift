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

    /// Tells everybody; nothing comes after `closed`.
    func set(_ new: ConnectionState) {
        let finished = state.withLock { state -> [AsyncStream<ConnectionState>.Continuation] in
            if case .closed = state.current { return [] }
            state.current = new
            switch new {
            case .waiting(let error, _): state.lastFailure = error
            case .connected, .blocked: state.lastFailure = nil
            case .connecting, .closed: break
            }
            for listener in state.listeners.values { listener.yield(new) }
            guard case .closed = new else { return [] }
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        // Its end has the listener removed, which takes the lock.
        for listener in finished { listener.finish() }
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
