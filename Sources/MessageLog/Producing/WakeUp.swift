internal import Synchronization

/// Wakes one task that waits, at once or at a time.
///
/// What is rung while nobody waits is not lost: the next wait returns at once.
final class WakeUp: Sendable {
    private enum State {
        case quiet
        case rung
        case waiting(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex<State>(.quiet)

    /// Ends the wait, or the next one.
    func ring() {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard case .waiting(let waiter) = state else {
                state = .rung
                return nil
            }
            state = .quiet
            return waiter
        }
        waiter?.resume()
    }

    /// Waits until it is rung; of one task at a time.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isRung = state.withLock { state in
                if case .rung = state {
                    state = .quiet
                    return true
                }
                state = .waiting(continuation)
                return false
            }
            if isRung { continuation.resume() }
        }
    }

    /// Waits until it is rung or the time has come.
    func wait(until deadline: ContinuousClock.Instant) async {
        let timer = Task {
            guard (try? await Task.sleep(until: deadline)) != nil else { return }
            ring()
        }
        await wait()
        timer.cancel()
    }
}
