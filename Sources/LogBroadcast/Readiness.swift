import DedicatedThread
import Synchronization

/// Whether somebody is there, for those who wait for it.
final class Readiness: Sendable {
    private struct State {
        var isReady = false
        var waiting: [FirstAnswer<Bool>] = []
    }

    private let state = Mutex(State())

    func set(_ isReady: Bool) {
        let waiting = state.withLock { state in
            state.isReady = isReady
            guard isReady else { return [FirstAnswer<Bool>]() }
            defer { state.waiting = [] }
            return state.waiting
        }
        for answer in waiting { answer.offer(true) }
    }

    /// Waits until it is so.
    ///
    /// - Returns: Whether it was within the time, and before the task was cancelled.
    func wait(within limit: Duration) async -> Bool {
        let answer = FirstAnswer<Bool>()
        let isReady = state.withLock { state in
            if !state.isReady { state.waiting.append(answer) }
            return state.isReady
        }
        if isReady { return true }
        let clock = Task.detached {
            try? await Task.sleep(for: limit)
            answer.offer(false)
        }
        defer {
            clock.cancel()
            state.withLock { $0.waiting.removeAll { $0 === answer } }
        }
        return await withTaskCancellationHandler {
            await answer.value()
        } onCancel: {
            answer.offer(false)
        }
    }
}
