import Synchronization

/// Where a consumer has its reader: made when it is first needed, and made anew after its lease was lost.
final class ReaderSeat: Sendable {
    private struct State {
        var reader: (any MessageReader)?
        /// How many readers there have been.
        var generation = 0
    }

    private let subscription: Subscription
    private let state = Mutex(State())

    init(_ subscription: Subscription) { self.subscription = subscription }

    /// Whoever forgets it gives the lease back all the same.
    deinit {
        if let reader = state.withLock({ $0.reader }) { Task { await reader.close() } }
    }

    /// Which of the readers is here: 1 for the first.
    var generation: Int { state.withLock { $0.generation } }

    /// The reader that is here, or a new one; only one task asks at a time.
    ///
    /// - Throws: ``MessageLogError``.
    func reader() async throws(MessageLogError) -> any MessageReader {
        let (present, generation) = state.withLock { ($0.reader, $0.generation) }
        if let present { return present }
        let reader = try await subscription.makeReader(again: generation > 0)
        state.withLock { $0 = State(reader: reader, generation: generation + 1) }
        return reader
    }

    /// Closes the reader if there is one, also when the task has been cancelled: its lease is free then.
    func leave() async {
        let reader = state.withLock { state in
            defer { state.reader = nil }
            return state.reader
        }
        guard let reader else { return }
        await Task { await reader.close() }.value
    }

    /// Moves cursors behind messages, one a key, also when the task has been cancelled.
    ///
    /// - Parameters:
    ///   - messages: What has been handled.
    ///   - generation: Which of the readers gave them; `nil` for the one that is here.
    /// - Throws: ``MessageLogError``; `leaseLost` when that reader is gone.
    func commit(through messages: [Message], of generation: Int? = nil) async throws(MessageLogError) {
        let reader = state.withLock { generation ?? $0.generation == $0.generation ? $0.reader : nil }
        guard let reader else {
            throw MessageLogError(
                .leaseLost, "the lease under which the message was read has been lost; the message comes again")
        }
        let committing = Task {
            await outcome { () throws(MessageLogError) in
                try await concurrently(messages) { message throws(MessageLogError) in
                    try await reader.commit(through: message)
                }
            }
        }
        try await committing.value.get()
    }
}
