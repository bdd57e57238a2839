internal import Synchronization

/// The first of several values to arrive; a waiting task that is cancelled goes on waiting.
final class FirstAnswer<Value: Sendable>: Sendable {
    private enum State {
        case nothing
        case waiting(CheckedContinuation<Value, Never>)
        case arrived(Value)
        case taken
    }

    private let state = Mutex<State>(.nothing)

    /// Offers a value; all but the first are dropped.
    func offer(_ value: Value) {
        let waiter: CheckedContinuation<Value, Never>? = state.withLock { state in
            switch state {
            case .nothing:
                state = .arrived(value)
                return nil
            case .waiting(let continuation):
                state = .taken
                return continuation
            case .arrived, .taken:
                return nil
            }
        }
        waiter?.resume(returning: value)
    }

    /// Waits for the first value; to be called once.
    func value() async -> Value {
        await withCheckedContinuation { continuation in
            let value: Value? = state.withLock { state in
                guard case .arrived(let value) = state else {
                    state = .waiting(continuation)
                    return nil
                }
                state = .taken
                return value
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}
