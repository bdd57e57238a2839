import Synchronization

/// Knows what became of a worker's first attempts, and who waits to hear of it.
final class ReadinessGate: Sendable {
    private struct State {
        var hasBegun = false
        var untried: Int
        var readiness: Readiness?
        var waiting: [CheckedContinuation<Readiness, Never>] = []
    }
    private let state: Mutex<State>

    init(servers: Int) { state = Mutex(State(untried: servers)) }

    /// Notes that the worker runs; `false` when it did already.
    func begin() -> Bool {
        state.withLock { state in
            defer { state.hasBegun = true }
            return !state.hasBegun
        }
    }

    /// Notes that the function is registered with a job server.
    func registered() { settle { _ in .registered } }

    /// Notes that the first attempt with one more job server failed.
    func failed() {
        settle { state in
            state.untried -= 1
            return state.untried == 0 ? .retrying : nil
        }
    }

    /// Notes that the worker stops.
    func stop() { settle { _ in .stopped } }

    /// Waits until it is known what became of the first attempts.
    func wait() async -> Readiness {
        await withCheckedContinuation { continuation in
            let readiness = state.withLock { state in
                if state.readiness == nil { state.waiting.append(continuation) }
                return state.readiness
            }
            if let readiness { continuation.resume(returning: readiness) }
        }
    }

    private func settle(_ body: (inout State) -> Readiness?) {
        let (readiness, waiting) = state.withLock { state -> (Readiness?, [CheckedContinuation<Readiness, Never>]) in
            guard state.readiness == nil else { return (nil, []) }
            state.readiness = body(&state)
            guard state.readiness != nil else { return (nil, []) }
            defer { state.waiting = [] }
            return (state.readiness, state.waiting)
        }
        guard let readiness else { return }
        for continuation in waiting { continuation.resume(returning: readiness) }
    }
}
