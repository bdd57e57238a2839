internal import Synchronization

/// Says when something takes too long, with one timer for all that is watched one after the other.
final class Watchdog: Sendable {
    private struct State {
        var watched: (deadline: ContinuousClock.Instant, bark: @Sendable () -> Void)?
        var timer: Task<Void, Never>?
        var isStopped = false
    }

    private let state = Mutex(State())

    /// Calls `bark` at the deadline, unless ``relax()`` or another `watch` comes first.
    func watch(until deadline: ContinuousClock.Instant, _ bark: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.watched = (deadline, bark)
            // A timer that was set for an earlier deadline looks at this one when it ends.
            if state.timer == nil, !state.isStopped { state.timer = Task { await run(until: deadline) } }
        }
    }

    /// Watches nothing any more.
    func relax() { state.withLock { $0.watched = nil } }

    /// Ends the timer; what is watched then is taken for overdue.
    func stop() {
        let (timer, bark) = state.withLock { state in
            state.isStopped = true
            defer { state.watched = nil }
            return (state.timer.take(), state.watched?.bark)
        }
        timer?.cancel()
        bark?()
    }

    private func run(until first: ContinuousClock.Instant) async {
        var deadline = first
        while (try? await Task.sleep(until: deadline)) != nil {
            let (next, bark) = state.withLock { state -> (ContinuousClock.Instant?, (@Sendable () -> Void)?) in
                guard let watched = state.watched else {
                    state.timer = nil
                    return (nil, nil)
                }
                if watched.deadline > .now { return (watched.deadline, nil) }
                state.watched = nil
                state.timer = nil
                return (nil, watched.bark)
            }
            bark?()
            guard let next else { return }
            deadline = next
        }
    }
}
