internal import DedicatedThread
internal import Synchronization

/// The messages of tasks that wait for their confirms.
final class QueueSource: MessageSource {
    final class Message: Sendable {
        let number: Int
        let body: [UInt8]
        let route: Route
        let answer = FirstAnswer<Result<Void, AMQPError>>()

        fileprivate init(number: Int, body: [UInt8], route: Route) {
            self.number = number
            self.body = body
            self.route = route
        }
    }

    private struct State {
        var count = 0
        /// What was not sent yet, behind the first `taken`.
        var waiting: [Message] = []
        var taken = 0
        /// What was sent over a connection that was lost, in order; goes before what waits.
        var again: [Message] = []
        var onTheirWay: [UInt64: Message] = [:]
        var isClosed = false

        var next: Message? { again.first ?? (taken < waiting.count ? waiting[taken] : nil) }

        mutating func remove(_ message: Message) {
            if let index = again.firstIndex(where: { $0 === message }) {
                again.remove(at: index)
            } else if taken < waiting.count, waiting[taken] === message {
                taken += 1
                if taken >= 1_024 || taken == waiting.count {
                    waiting.removeFirst(taken)
                    taken = 0
                }
            } else if let index = waiting[taken...].firstIndex(where: { $0 === message }) {
                waiting.remove(at: index)
            }
        }
    }

    private let state = Mutex(State())

    /// Takes a message.
    ///
    /// - Returns: The message; `nil` when the publisher is closed.
    func append(_ body: [UInt8], _ route: Route) -> Message? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            state.count += 1
            let message = Message(number: state.count, body: body, route: route)
            state.waiting.append(message)
            return message
        }
    }

    /// Drops a message that is not on its way yet, as nobody waits for it.
    func discard(_ message: Message) {
        state.withLock { $0.remove(message) }
    }

    func publish(into window: inout PublishWindow) {
        while let message = state.withLock({ $0.next }) {
            let sequence = message.body.withUnsafeBytes { window.publish($0, to: message.route) }
            guard let sequence else { return }
            state.withLock { state in
                state.remove(message)
                state.onTheirWay[sequence] = message
            }
        }
    }

    func settled(_ sequences: ClosedRange<UInt64>, _ outcome: PublishOutcome) {
        let messages = state.withLock { state in sequences.compactMap { state.onTheirWay.removeValue(forKey: $0) } }
        switch outcome {
        case .confirmed:
            for message in messages { message.answer.offer(.success(())) }
        case .refused:
            let error = AMQPError(.messageRefused, "the broker refused the message; is a queue full?")
            for message in messages { message.answer.offer(.failure(error)) }
        case .lost(let error) where error.code == .closed || error.code == .channelClosed:
            for message in messages { message.answer.offer(.failure(error)) }
        case .lost:
            state.withLock { state in
                state.again += messages
                state.again.sort { $0.number < $1.number }
            }
        }
    }

    func ended(_ error: AMQPError) {
        let rest = state.withLock { state in
            state.isClosed = true
            defer {
                state.waiting = []
                state.again = []
                state.taken = 0
            }
            return state.again + state.waiting[state.taken...]
        }
        for message in rest { message.answer.offer(.failure(error)) }
    }

    func returned(_ message: ReturnedMessage) {
        guard let sequence = message.sequence,
            let returned = state.withLock({ $0.onTheirWay.removeValue(forKey: sequence) })
        else { return }
        let text = "no queue took the message for exchange '\(message.exchange)', key '\(message.routingKey)'"
        returned.answer.offer(
            .failure(
                AMQPError(.unroutable, text, replyCode: message.replyCode, replyText: message.replyText)))
    }
}
