internal import Synchronization

/// The messages that tasks hand to the thread of a ``Caster``, bounded in bytes.
final class Inbox: Sendable {
    private struct State: ~Copyable {
        var messages: RecordRing
        /// Tasks that wait for room, by their tickets.
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastTicket: UInt64 = 0
    }

    /// What became of a message.
    private enum Taking { case taken, full, closed }

    /// Readable when there are messages.
    let hasMessages: EventDescriptor
    /// Set when no more messages come.
    let closed: Flag
    private let capacity: Int
    private let maximumMessage: Int
    private let state: Mutex<State>

    /// Makes an inbox that holds at least one message of the maximum size, and at least 1 MiB.
    init(maximumMessage: Int) throws(LogTransportError) {
        hasMessages = try EventDescriptor()
        closed = try Flag()
        self.maximumMessage = maximumMessage
        capacity = max(1 << 20, maximumMessage + 64)
        state = Mutex(State(messages: RecordRing(capacity: capacity)))
    }

    /// A second queue, to exchange with the one here.
    func makeRing() -> RecordRing { RecordRing(capacity: capacity) }

    /// Takes a message; waits for room.
    func append(_ message: [UInt8]) async throws(LogTransportError) {
        guard message.count <= maximumMessage else {
            throw LogTransportError(
                .invalidArgument, "a message of \(message.count) bytes is too long: the maximum is \(maximumMessage)")
        }
        while true {
            let ticket = state.withLock { state in
                state.lastTicket += 1
                return state.lastTicket
            }
            switch take(message) {
            case .taken: return
            case .closed: throw LogTransportError(.closed, "the caster is closed, and takes no messages")
            case .full: break
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation { wait($0, ticket: ticket, for: message.count) }
            } onCancel: {
                state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume()
            }
            if Task.isCancelled { throw LogTransportError(.closed, "the task that cast a message was cancelled") }
        }
    }

    private func take(_ message: [UInt8]) -> Taking {
        state.withLock { state in
            guard !closed.isSet else { return .closed }
            let wasEmpty = state.messages.isEmpty
            let isTaken = message.withUnsafeBytes { state.messages.append($0, number: 0) }
            if isTaken && wasEmpty { hasMessages.set() }
            return isTaken ? .taken : .full
        }
    }

    private func wait(_ continuation: CheckedContinuation<Void, Never>, ticket: UInt64, for count: Int) {
        let isWaiting = state.withLock { state in
            // Looked at again: the thread may have made room, or a task may have been cancelled, since the message was
            // refused.
            guard !closed.isSet, !state.messages.isEmpty, !Task.isCancelled else { return false }
            state.waiting[ticket] = continuation
            return true
        }
        if !isWaiting { continuation.resume() }
    }

    /// Exchanges an empty queue for the one with the messages, and lets tasks that wait go on.
    func exchange(_ ring: inout RecordRing) {
        let waiting = state.withLock { state in
            hasMessages.clear()
            swap(&state.messages, &ring)
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume() }
    }

    /// Takes no more messages.
    func close() {
        let waiting = state.withLock { state in
            closed.set()
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume() }
    }
}

/// The messages of an inbox as a source of lines.
struct InboxSource: LineSource, ~Copyable {
    private let inbox: Inbox
    private var messages: RecordRing
    private var isGiven = false

    private(set) var number: UInt64 = 0
    private var bytes: UInt64 = 0

    init(_ inbox: Inbox) {
        self.inbox = inbox
        messages = inbox.makeRing()
    }

    func waits(forLines: Bool) -> [Wait] {
        let end = inbox.closed.isSet ? [] : [Wait(.descriptor(inbox.closed.descriptor), .input)]
        return forLines ? end + [Wait(.descriptor(inbox.hasMessages.number), .input)] : end
    }

    var outlook: SourceOutlook { inbox.closed.isSet ? .closing : .open }

    mutating func read() throws(LogTransportError) -> LineReader.Outcome {
        // In this order: what was put in before the end is seen after it.
        let isLast = inbox.closed.isSet
        inbox.exchange(&messages)
        if messages.isEmpty { return isLast ? .end : .nothingYet }
        return .lines
    }

    mutating func next() -> UnsafeRawBufferPointer? {
        if isGiven {
            messages.removeFirst()
            isGiven = false
        }
        guard let message = messages.first else { return nil }
        isGiven = true
        number += 1
        bytes += UInt64(message.bytes.count)
        return message.bytes
    }

    mutating func close() {
        inbox.close()
    }

    mutating func acknowledge(through number: UInt64) throws(LogTransportError) {}

    var nextDeadline: ContinuousClock.Instant? { nil }

    mutating func lines(through number: UInt64) -> UInt64 { number }

    mutating func abandon(isHolding: Bool) throws(LogTransportError) -> UInt64 {
        var left: UInt64 = isHolding ? 1 : 0
        repeat {
            while next() != nil { left += 1 }
        } while try read() == .lines
        return left
    }

    func count(into report: inout RelayReport) {
        report.linesIn = number
        report.bytesIn = bytes
    }
}
