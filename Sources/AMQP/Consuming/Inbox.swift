internal import Synchronization

/// What lies between the connection's thread and the task that consumes: messages one way, answers the other.
///
/// It holds at most as many messages as the consumer's prefetch, and as many again of a channel that was lost. What was
/// taken is let go of at once.
final class Inbox: Sendable {
    private struct State {
        var generation = 0
        /// What arrived, behind the first `taken`, of which nothing is left.
        var arrived: [Delivery?] = []
        var taken = 0
        /// Tags of this generation that are not answered.
        var open: Set<UInt64> = []
        /// The newest message that was handed out with acknowledgement on next, and not acknowledged.
        var handedOut: UInt64?
        var handedOutCount = 0
        var handedOutBytes = 0
        var answers: [TaggedAnswer] = []
        var waiter: CheckedContinuation<Void, Never>?
        var end: Result<Void, AMQPError>?

        mutating func takeFirst() -> Delivery? {
            guard taken < arrived.count, let delivery = arrived[taken].take() else { return nil }
            taken += 1
            if taken == arrived.count {
                arrived.removeAll(keepingCapacity: true)
                taken = 0
            } else if taken >= 64, taken >= arrived.count / 2 {
                // Where messages never cease to arrive it is never empty.
                arrived.removeFirst(taken)
                taken = 0
            }
            return delivery
        }
    }

    private let state = Mutex(State())
    private let acknowledgesOnNext: Bool
    private let prefetch: Int
    private let prefetchBytes: Int
    private let wake: @Sendable () -> Void

    init(_ options: ConsumerOptions, wake: @escaping @Sendable () -> Void) {
        acknowledgesOnNext = options.acknowledgement == .onNext
        prefetch = options.prefetch
        prefetchBytes = options.prefetchBytes ?? .max
        self.wake = wake
    }

    // MARK: The consuming side

    /// The next message; `nil` when the consumer ended.
    func next() async throws(AMQPError) -> Delivery? {
        while true {
            let (result, needsWake) = state.withLock { take(&$0) }
            if needsWake { wake() }
            if let result { return try result.get() }
            if Task.isCancelled { return nil }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let hasNews = state.withLock { state in
                        if state.taken < state.arrived.count || state.end != nil || Task.isCancelled { return true }
                        // Should two tasks iterate, the earlier looks again.
                        let earlier = state.waiter
                        state.waiter = continuation
                        earlier?.resume()
                        return false
                    }
                    if hasNews { continuation.resume() }
                }
            } onCancel: {
                state.withLock { $0.waiter.take() }?.resume()
            }
        }
    }

    private func take(_ state: inout State) -> (Result<Delivery?, AMQPError>?, needsWake: Bool) {
        var needsWake = false
        let isEmpty = state.taken == state.arrived.count
        // One acknowledgement for many messages costs less than one for each; half of the prefetch is still on its way
        // meanwhile.
        let isEnough = state.handedOutCount >= prefetch / 2 || state.handedOutBytes >= prefetchBytes / 4
        if let tag = state.handedOut, isEmpty || isEnough {
            state.handedOut = nil
            state.handedOutCount = 0
            state.handedOutBytes = 0
            if state.end == nil {
                needsWake = state.answers.isEmpty
                state.answers.append(TaggedAnswer(tag: tag, answer: .acknowledgeThrough))
            }
        }
        if let delivery = state.takeFirst() {
            if acknowledgesOnNext, delivery.generation == state.generation {
                state.handedOut = delivery.tag
                state.handedOutCount += 1
                state.handedOutBytes += delivery.body.count
            }
            return (.success(delivery), needsWake)
        }
        switch state.end {
        case nil: return (nil, needsWake)
        case .success: return (.success(nil), needsWake)
        case .failure(let error):
            state.end = .success(())
            return (.failure(error), needsWake)
        }
    }

    func answer(_ delivery: Delivery, _ answer: Answer) {
        if acknowledgesOnNext { return }
        let needsWake = state.withLock { state in
            guard delivery.generation == state.generation, state.open.remove(delivery.tag) != nil else { return false }
            state.answers.append(TaggedAnswer(tag: delivery.tag, answer: answer))
            return state.answers.count == 1
        }
        if needsWake { wake() }
    }

    // MARK: The connection's side

    /// Takes a message from the broker.
    func append(_ delivery: Delivery) {
        let waiter = state.withLock { state in
            if !acknowledgesOnNext { state.open.insert(delivery.tag) }
            state.arrived.append(delivery)
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Begins with a new channel.
    ///
    /// What waits to be answered one by one is forgotten, since the broker delivers it again. What is acknowledged here
    /// is kept, since the queue may have died with its connection, and what waits here is all that there is.
    ///
    /// - Returns: The number of the generation, and how many messages were dropped because a program that takes none
    ///   had lost a channel before.
    func beginGeneration() -> (number: Int, dropped: Int) {
        state.withLock { state in
            state.generation += 1
            state.open.removeAll()
            state.answers.removeAll()
            state.handedOut = nil
            state.handedOutCount = 0
            state.handedOutBytes = 0
            state.arrived.removeFirst(state.taken)
            state.taken = 0
            if !acknowledgesOnNext { state.arrived.removeAll() }
            // The broker will send as much again, so what is kept is bounded as that is.
            var (kept, bytes) = (0, 0)
            for delivery in state.arrived.reversed() {
                bytes += delivery?.body.count ?? 0
                guard kept == 0 || kept < prefetch && bytes <= prefetchBytes else { break }
                kept += 1
            }
            let dropped = state.arrived.count - kept
            state.arrived.removeFirst(dropped)
            return (state.generation, dropped)
        }
    }

    /// How many places it keeps for messages, those included that were taken.
    var places: Int { state.withLock { $0.arrived.count } }

    /// The answers since the last call.
    func takeAnswers() -> [TaggedAnswer] {
        state.withLock { state in
            defer { state.answers.removeAll(keepingCapacity: state.answers.capacity <= 4_096) }
            return state.answers
        }
    }

    /// Ends the sequence, after what arrived when `error` is `nil`.
    func end(_ error: AMQPError?) {
        let waiter = state.withLock { state in
            guard state.end == nil else { return state.waiter.take() }
            state.end = error.map { .failure($0) } ?? .success(())
            return state.waiter.take()
        }
        waiter?.resume()
    }
}
