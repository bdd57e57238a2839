import Synchronization

/// Where a consumer has its reader: made when it is first needed, and made anew after its lease was lost.
final class ReaderSeat: Sendable {
    private typealias Opened = (broker: any Broker, isOwn: Bool)

    private struct State {
        var opened: Opened?
        var reader: (any MessageReader)?
        /// How many readers there have been.
        var generation = 0
    }

    private let subscription: Subscription
    private let follows: Bool
    private let firstLook = FirstLook()
    private let state = Mutex(State())

    /// Describes one.
    ///
    /// - Parameters:
    ///   - subscription: What is read.
    ///   - follows: Whether reading goes on without those keys of a pattern that cannot be read.
    init(_ subscription: Subscription, follows: Bool) {
        self.subscription = subscription
        self.follows = follows
    }

    /// Whoever forgets it gives the lease back all the same.
    deinit {
        let (reader, opened) = state.withLock { ($0.reader, $0.opened) }
        if reader != nil || opened?.isOwn == true { Task { await Self.close(reader, opened) } }
    }

    /// Which of the readers is here: 1 for the first.
    var generation: Int { state.withLock { $0.generation } }

    /// The broker, which is opened when it is first needed.
    ///
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    func broker() throws(MessageLogError) -> any Broker {
        try state.withLock { state throws(MessageLogError) in
            if let opened = state.opened { return opened.broker }
            let opened = try subscription.openBroker()
            state.opened = opened
            return opened.broker
        }
    }

    /// The reader that is here, or a new one; only one task asks at a time.
    ///
    /// - Throws: ``MessageLogError``.
    func reader() async throws(MessageLogError) -> any MessageReader {
        let (present, generation) = state.withLock { ($0.reader, $0.generation) }
        if let present { return present }
        let reader = try await subscription.makeReader(
            from: broker(), again: generation > 0, firstLook: firstLook, follows: follows)
        state.withLock { state in
            state.reader = reader
            state.generation = generation + 1
        }
        return reader
    }

    /// Closes the reader if there is one, also when the task has been cancelled: its lease is free then.
    func leave() async {
        let reader = state.withLock { $0.reader.take() }
        await Task { await Self.close(reader, nil) }.value
    }

    /// Closes the reader, and the broker if it was opened here.
    func close() async {
        let (reader, opened) = state.withLock { ($0.reader.take(), $0.opened.take()) }
        await Task { await Self.close(reader, opened) }.value
    }

    private static func close(_ reader: (any MessageReader)?, _ opened: Opened?) async {
        await reader?.close()
        if let opened, opened.isOwn { await opened.broker.close() }
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
