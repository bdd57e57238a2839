import Synchronization

/// Ends the waits of one thread from another, at once and for good.
final class Interrupter: Sendable {
    private struct State {
        var isInterrupted = false
        var interrupt: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    /// Whether ``interrupt()`` was called.
    var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    /// Ends the wait under way, if there is one, and keeps others from beginning.
    func interrupt() {
        state.withLock { state in
            state.isInterrupted = true
            state.interrupt?()
        }
    }

    /// Waits, unless this was interrupted already.
    ///
    /// - Parameters:
    ///   - interrupt: Ends `wait` from another thread. It is called with a lock held under which it is also forgotten,
    ///     so that what it touches lives as long as it has to.
    ///   - wait: The wait.
    /// - Returns: What `wait` returned; `nil` when it did not begin.
    func whileWaiting<Value>(
        interruptedBy interrupt: @escaping @Sendable () -> Void, _ wait: () -> Value
    ) -> Value? {
        let begins = state.withLock { state in
            guard !state.isInterrupted else { return false }
            state.interrupt = interrupt
            return true
        }
        guard begins else { return nil }
        defer { state.withLock { $0.interrupt = nil } }
        return wait()
    }
}
