internal import Synchronization

/// The first of several values to arrive, of which one comes from a thread that may block for longer than anybody waits.
///
/// A waiting task that is cancelled goes on waiting: a value for that case has to be offered as well.
package final class FirstAnswer<Value: Sendable>: Sendable {
    private enum State {
        case nothing
        case waiting(CheckedContinuation<Value, Never>)
        case arrived(Value)
        case taken
    }

    private let state = Mutex<State>(.nothing)

    /// Creates a place for a value.
    package init() {}

    /// Offers a value; all but the first are dropped.
    ///
    /// - Returns: Whether it was the first.
    @discardableResult
    package func offer(_ value: Value) -> Bool {
        let (isFirst, waiter): (Bool, CheckedContinuation<Value, Never>?) = state.withLock { state in
            switch state {
            case .nothing:
                state = .arrived(value)
                return (true, nil)
            case .waiting(let continuation):
                state = .taken
                return (true, continuation)
            case .arrived, .taken:
                return (false, nil)
            }
        }
        waiter?.resume(returning: value)
        return isFirst
    }

    /// Waits for the first value; to be called once.
    package func value() async -> Value {
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
