import Synchronization

/// Events between the tasks that bring them and those that take them: bounded, so that who brings waits for who takes.
final class EventChannel: Sendable {
    /// How many events wait before nobody may bring more.
    static let most = 256

    private typealias Waiting = [CheckedContinuation<Void, Never>]

    private struct State {
        var events: [BroadcastEvent] = []
        var taken = 0
        var takers: Waiting = []
        var bringers: Waiting = []
        var isFinished = false

        var count: Int { events.count - taken }

        mutating func take() -> BroadcastEvent? {
            guard taken < events.count else { return nil }
            defer {
                taken += 1
                if taken == events.count {
                    events.removeAll(keepingCapacity: true)
                    taken = 0
                }
            }
            return events[taken]
        }
    }

    private let state = Mutex(State())

    /// Brings events, and waits while there are too many.
    ///
    /// - Returns: Whether anybody may still take events.
    func send(_ events: [BroadcastEvent]) async -> Bool {
        let (isOpen, taker) = state.withLock { state in
            guard !state.isFinished else { return (false, nil as CheckedContinuation<Void, Never>?) }
            state.events += events
            return (true, state.takers.popLast())
        }
        taker?.resume()
        guard isOpen else { return false }
        while true {
            let isRoom = state.withLock { $0.isFinished || $0.count < Self.most }
            if isRoom { break }
            await withCheckedContinuation { continuation in
                let isRoom = state.withLock { state in
                    if state.isFinished || state.count < Self.most { return true }
                    state.bringers.append(continuation)
                    return false
                }
                if isRoom { continuation.resume() }
            }
        }
        return state.withLock { !$0.isFinished }
    }

    /// Takes the next event.
    ///
    /// - Returns: The event; nil after the end, or when the task was cancelled.
    func next() async -> BroadcastEvent? {
        while true {
            let (event, isFinished, bringers): (BroadcastEvent?, Bool, Waiting) = state.withLock { state in
                let event = state.take()
                guard state.count < Self.most / 2 else { return (event, state.isFinished, []) }
                defer { state.bringers = [] }
                return (event, state.isFinished, state.bringers)
            }
            for bringer in bringers { bringer.resume() }
            if let event { return event }
            if isFinished || Task.isCancelled { return nil }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let hasNews = state.withLock { state in
                        if state.count > 0 || state.isFinished || Task.isCancelled { return true }
                        state.takers.append(continuation)
                        return false
                    }
                    if hasNews { continuation.resume() }
                }
            } onCancel: {
                // Whoever was not meant looks again and waits on.
                wakeTakers()
            }
        }
    }

    /// Ends it: what is here can still be taken.
    func finish() {
        let bringers = state.withLock { state in
            state.isFinished = true
            defer { state.bringers = [] }
            return state.bringers
        }
        for bringer in bringers { bringer.resume() }
        wakeTakers()
    }

    private func wakeTakers() {
        let takers = state.withLock { state in
            defer { state.takers = [] }
            return state.takers
        }
        for taker in takers { taker.resume() }
    }
}
