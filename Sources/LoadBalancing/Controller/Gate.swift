internal import Synchronization

/// Lets one task in at a time, in the order in which they came.
///
/// A task that is cancelled keeps its turn: what was accepted is done.
package final class Gate: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Creates a gate that is open.
    package init() {}

    /// Runs `body` when every task that came before has left.
    package func pass<Value>(_ body: () async -> Value) async -> Value {
        await enter()
        defer { leave() }
        return await body()
    }

    /// Returns when every task that came before has left; ``leave()`` has to follow.
    package func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.isTaken else {
                    state.isTaken = true
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    /// Lets the next task in.
    package func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
