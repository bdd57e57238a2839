public import Logging
internal import Synchronization
public import ZeroMQ

/// Receives the lines that a ``StdinRelay`` or ``Caster``, hayrack or zmqpush hands on.
///
/// ```swift
/// import LogTransport
///
/// let receiver = try Receiver("tcp://127.0.0.1:5000")
/// for try await message in receiver {
///     print(message.text)
/// }
/// ```
///
/// A lost connection is made again for ever. Lines that are not asked for wait at the senders, but for some that were read
/// ahead. Where delivery is reliable, a line counts as processed when the next one is asked for, or ``acknowledge()`` is
/// called; one that was not processed comes again, here or at another receiver. Where several tasks share a receiver, any of
/// them asking for its next line says so of the lines of all: those that must not be lost belong to one task.
public final class Receiver: AsyncSequence, Sendable {
    /// What it receives.
    public typealias Element = LogMessage

    private enum Inlet {
        case push(PushInlet)
        case reliable(ReliableInlet)
    }

    private struct State {
        var batch: ReceivedBatch?
        /// Lines of the batch that were given.
        var done = 0
        /// Lines of the batch that were said to be processed.
        var said = 0
        var saidAt = ContinuousClock.now
        var isFetching = false
        /// The tasks that wait for another one to fetch, by their turns.
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var turns: UInt64 = 0
    }

    private let inlet: Inlet
    private let state = Mutex(State())

    /// The endpoints that were bound, with the ports that were chosen.
    public let boundEndpoints: [Endpoint]

    /// Connects to one or more senders.
    ///
    /// - Parameters:
    ///   - endpoints: The senders, as in `tcp://127.0.0.1:5000`.
    ///   - delivery: How they deliver.
    /// - Throws: ``LogTransportError`` with code `invalidArgument` when there is none, or it is no endpoint.
    public convenience init(
        _ endpoints: String..., delivery: ReceiverOptions.Delivery = .push
    ) throws(LogTransportError) {
        var options = ReceiverOptions()
        options.delivery = delivery
        do throws(ZeroMQError) {
            for endpoint in endpoints { options.connect.append(try Endpoint(endpoint)) }
        } catch {
            throw LogTransportError(opening: error)
        }
        try self.init(options)
    }

    /// Connects and binds.
    ///
    /// - Parameters:
    ///   - options: Where, and how lines are delivered.
    ///   - logger: Told of senders that come, go, and are turned away.
    /// - Throws: ``LogTransportError``: `invalidArgument`, or `unavailable` when an endpoint cannot be bound.
    public init(_ options: ReceiverOptions, logger: Logger? = nil) throws(LogTransportError) {
        switch options.delivery {
        case .push:
            let push = try PushInlet(options, logger: logger)
            inlet = .push(push)
            boundEndpoints = push.endpoints
        case .reliable:
            var settings = ReliableInletOptions(binds: options.bind, connects: options.connect)
            settings.curve = options.curve
            settings.maximumBatch = options.maximumMessageSize
            settings.reconnectInterval = options.reconnectInterval
            settings.linger = options.linger
            let reliable = try ReliableInlet(
                settings, logger: logger ?? Logger(label: "receiver") { _ in SwiftLogNoOpLogHandler() })
            inlet = .reliable(reliable)
            boundEndpoints = reliable.endpoints
        }
    }

    /// The next line; waits until there is one.
    ///
    /// - Returns: The line.
    /// - Throws: ``LogTransportError`` with code `closed` after ``close()`` and when the task was cancelled; another when
    ///   nothing can come any more.
    public func get() async throws(LogTransportError) -> LogMessage {
        guard let message = try await next() else { throw LogTransportError(.closed, "the receiver was closed") }
        return message
    }

    /// Says that the lines that were given are where they are safe; for reliable delivery.
    public func acknowledge() {
        state.withLock { say(upTo: $0.done, &$0) }
    }

    /// Closes the sockets, and tells the senders what was processed; the line that was given last counts only where
    /// ``acknowledge()`` was called.
    public func close() async {
        state.withLock { say(upTo: $0.done - 1, &$0) }
        switch inlet {
        case .push(let push): await push.close()
        case .reliable(let reliable): await reliable.close()
        }
    }

    /// Messages that came in and are none of the protocol.
    package var garbage: UInt64 {
        switch inlet {
        case .push(let push): push.garbage
        case .reliable(let reliable): reliable.garbage
        }
    }

    /// The lines one by one, until the receiver is closed or the task cancelled.
    public func makeAsyncIterator() -> Iterator { Iterator(receiver: self) }

    /// Gives the lines of a ``Receiver``.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let receiver: Receiver

        /// The next line; nil when the receiver was closed or the task cancelled.
        public mutating func next() async throws(LogTransportError) -> LogMessage? { try await receiver.next() }

        /// The next line; nil when the receiver was closed or the task cancelled.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(LogTransportError) -> LogMessage? { try await receiver.next() }
    }
}

extension Receiver {
    /// The next lines, all that came together; not to be mixed with ``get()``.
    ///
    /// - Returns: The lines; nil when the receiver was closed or the task cancelled.
    /// - Throws: ``LogTransportError`` when nothing can come any more.
    package func nextBatch() async throws(LogTransportError) -> ReceivedBatch? {
        switch inlet {
        case .push(let push): try await push.next().map { .pushed($0) }
        case .reliable(let reliable): try await reliable.next().map { .reliable($0) }
        }
    }

    /// Says that lines of a batch are where they are safe.
    ///
    /// - Parameters:
    ///   - batch: The batch.
    ///   - lines: How many, from its beginning; nil for all.
    package func processed(_ batch: ReceivedBatch, lines: Int? = nil) {
        guard case .reliable(let reliable) = inlet, case .reliable(let batch) = batch else { return }
        reliable.processed(batch, lines: lines)
    }

    private func next() async throws(LogTransportError) -> LogMessage? {
        while true {
            if let message = state.withLock({ take(&$0) }) { return message }
            guard await beginToFetch() else {
                if Task.isCancelled { return nil }
                continue
            }
            defer { endFetching() }
            guard let batch = try await nextBatch() else { return nil }
            state.withLock { state in
                (state.batch, state.done, state.said) = (batch, 0, 0)
            }
        }
    }

    /// The next line of the batch that is here; those before it are processed.
    private func take(_ state: inout State) -> LogMessage? {
        guard let batch = state.batch else { return nil }
        guard let (message, done) = batch.message(after: state.done) else {
            say(upTo: batch.count, &state)
            state.batch = nil
            return nil
        }
        // Each word wakes the receiving thread: one a line would be too many, and none for long would be a lost receiver.
        if state.done - state.said >= 64 || .now - state.saidAt >= .seconds(1) { say(upTo: state.done, &state) }
        state.done = done
        return message
    }

    private func say(upTo lines: Int, _ state: inout State) {
        guard let batch = state.batch, lines > state.said else { return }
        processed(batch, lines: lines)
        (state.said, state.saidAt) = (lines, .now)
    }

    /// Whether this task is the one to fetch the next batch; when not, another has fetched one, or this one was cancelled.
    private func beginToFetch() async -> Bool {
        let turn: UInt64? = state.withLock { state in
            guard state.isFetching else {
                state.isFetching = true
                return nil
            }
            state.turns += 1
            return state.turns
        }
        guard let turn else { return true }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard state.isFetching, !Task.isCancelled else { return false }
                    state.waiters[turn] = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: turn) }?.resume()
        }
        return false
    }

    private func endFetching() {
        let waiters = state.withLock { state in
            state.isFetching = false
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }
}
