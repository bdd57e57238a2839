internal import DedicatedThread
internal import Synchronization

/// A message on its way: a handle by which to learn what became of it.
///
/// It is small, and may be thrown away.
public struct SentMessage: Sendable {
    /// Its number among the messages of its producer: 1 for the first, then one more each.
    public let number: UInt64
    let fate: BatchFate

    /// Waits until it is known what became of the message.
    ///
    /// - Throws: ``MessageLogError`` of the first broker when none took the message; `cancelled` when the task was
    ///   cancelled, and the message goes on its way.
    public func receipt() async throws(MessageLogError) -> Receipt {
        try await fate.receipt(of: number)
    }
}

/// What becomes of the messages of a batch, known for all of them at once.
final class BatchFate: Sendable {
    /// What became of messages, at each broker.
    struct Settled: Sendable {
        let count: Int
        let brokers: [String]
        let outcomes: [BatchOutcome]

        /// What became of one of the messages.
        func receipt(of index: Int) -> Receipt {
            Receipt(
                brokers: zip(brokers, outcomes).map { broker, outcome in
                    Receipt.AtBroker(broker: broker, outcome: outcome.outcome(of: index, count: count))
                })
        }
    }

    private typealias Waiter = FirstAnswer<Result<Settled, MessageLogError>>

    private enum State {
        case open([Waiter])
        case settled(Settled)
    }

    /// The number of the batch's first message.
    let first: UInt64
    private let state = Mutex<State>(.open([]))

    init(first: UInt64) { self.first = first }

    /// Says what became of the messages; to be called once.
    func settle(_ settled: Settled) {
        let waiters: [Waiter] = state.withLock { state in
            guard case .open(let waiters) = state else { return [] }
            state = .settled(settled)
            return waiters
        }
        for waiter in waiters { waiter.offer(.success(settled)) }
    }

    /// Waits until it is known.
    func settled() async throws(MessageLogError) -> Settled {
        let waiter = Waiter()
        let known: Settled? = state.withLock { state in
            switch state {
            case .settled(let settled): return settled
            case .open(let waiters):
                state = .open(waiters + [waiter])
                return nil
            }
        }
        if let known { return known }
        return try await withTaskCancellationHandler {
            await waiter.value()
        } onCancel: {
            waiter.offer(
                .failure(
                    MessageLogError(.cancelled, "the task was cancelled: its message goes on its way without it")))
        }.get()
    }

    func receipt(of number: UInt64) async throws(MessageLogError) -> Receipt {
        let receipt = try await settled().receipt(of: Int(number - first))
        if receipt.refusals.count == receipt.brokers.count, let error = receipt.refusals.first { throw error }
        return receipt
    }
}
