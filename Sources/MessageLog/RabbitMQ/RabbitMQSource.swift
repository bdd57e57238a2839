internal import AMQP
internal import DedicatedThread
internal import Synchronization

/// A batch on its way to RabbitMQ, message by message, over as many connections as it takes.
///
/// It knows which messages of the batch were confirmed, so that an append which is made again sends only the others.
final class RabbitMQSource: MessageSource {
    typealias Answer = FirstAnswer<Result<Void, MessageLogError>>
    private typealias Finished = (answer: Answer, result: Result<Void, MessageLogError>)

    private struct State {
        var batch = MessageBatch()
        var messages: [MessageBatch.Element] = []
        /// Which messages are confirmed.
        var isConfirmed: [Bool] = []
        /// What is to be sent, as places in `messages`, the last one first.
        var toSend: [Int] = []
        var onTheirWay: [UInt64: Int] = [:]
        /// Why messages of the batch will not be confirmed.
        var failure: MessageLogError?
        var answer: Answer?
        var end: MessageLogError?

        /// Ends the append, if nothing of it is on its way any more.
        mutating func finish() -> Finished? {
            guard toSend.isEmpty, onTheirWay.isEmpty, let answer = answer.take() else { return nil }
            return (answer, failure.map { .failure($0) } ?? .success(()))
        }

        /// Sends nothing more of the batch, and forgets what is on its way.
        mutating func stop(_ error: MessageLogError) -> Finished? {
            failure = failure ?? error
            toSend = []
            onTheirWay = [:]
            return finish()
        }
    }

    private let state = Mutex(State())
    private let broker: String
    private let key: RoutingKey
    private let options: RabbitMQOptions

    init(_ key: RoutingKey, broker: String, options: RabbitMQOptions) {
        self.broker = broker
        self.key = key
        self.options = options
    }

    // MARK: The writer's side

    /// Begins to send a batch, or what is left of it when it is the one of the last call.
    func begin(_ batch: MessageBatch) -> Answer {
        let answer = Answer()
        let finished = state.withLock { state in
            if state.batch.records != batch.records {
                state.batch = batch
                state.messages = Array(batch)
                state.isConfirmed = Array(repeating: false, count: batch.count)
            }
            state.toSend = state.isConfirmed.indices.reversed().filter { !state.isConfirmed[$0] }
            state.onTheirWay = [:]
            state.failure = nil
            state.answer = answer
            if let error = state.end { return state.stop(error) }
            return state.finish()
        }
        tell(finished)
        return answer
    }

    /// Ends the append.
    func giveUp(_ error: MessageLogError) { tell(state.withLock { $0.stop(error) }) }

    private func tell(_ finished: Finished?) {
        finished?.answer.offer(finished?.result ?? .success(()))
    }

    // MARK: The connection's side

    func publish(into window: inout PublishWindow) {
        while let (index, message) = state.withLock({ state in
            state.toSend.last.map { ($0, state.messages[$0]) }
        }) {
            guard let route = route(of: message) else { return }
            guard let sequence = message.body.withUnsafeBytes({ window.publish($0, to: route) }) else { return }
            state.withLock { state in
                // An append that was given up meanwhile is not waited for.
                guard state.toSend.last == index else { return }
                state.toSend.removeLast()
                state.onTheirWay[sequence] = index
            }
        }
    }

    private func route(of message: MessageBatch.Element) -> Route? {
        do {
            return try Route(
                exchange: options.exchange, routingKey: key.description,
                properties: RabbitMQTime.properties(at: message.time),
                isMandatory: !options.allowsUnroutable)
        } catch {
            giveUp(explained(error))
            return nil
        }
    }

    func settled(_ sequences: ClosedRange<UInt64>, _ outcome: PublishOutcome) {
        let finished = state.withLock { state in
            let places = sequences.compactMap { state.onTheirWay.removeValue(forKey: $0) }
            switch outcome {
            case .confirmed:
                for place in places { state.isConfirmed[place] = true }
            case .refused:
                if !places.isEmpty { state.failure = state.failure ?? refusal }
            case .lost(let error) where error.code == .channelClosed || error.code == .closed:
                if !places.isEmpty { return state.stop(explained(error)) }
            case .lost:
                state.toSend = (state.toSend + places).sorted(by: >)
            }
            return state.finish()
        }
        tell(finished)
    }

    func returned(_ message: ReturnedMessage) {
        let finished = state.withLock { state in
            // Its confirm comes just after, and finds nothing.
            guard let sequence = message.sequence, state.onTheirWay.removeValue(forKey: sequence) != nil else {
                return nil as Finished?
            }
            state.failure = state.failure ?? withoutQueue(message)
            return state.finish()
        }
        tell(finished)
    }

    func ended(_ error: AMQPError) {
        let finished = state.withLock { state in
            let failure = explained(error)
            state.end = failure
            return state.stop(failure)
        }
        tell(finished)
    }

    // MARK: Failures

    private func explained(_ error: AMQPError) -> MessageLogError {
        MessageLogError(error, "cannot publish messages of \(key) to \(broker)")
    }

    private var refusal: MessageLogError {
        MessageLogError(.full, "\(broker) refuses messages of \(key): a queue that they go to is full")
    }

    private func withoutQueue(_ message: ReturnedMessage) -> MessageLogError {
        MessageLogError(
            .notFound,
            "no queue at \(broker) takes messages of \(key) (\(message.replyCode) \(message.replyText)): start a consumer "
                + "once, which makes the queue of its name, or have such messages dropped with allow_unroutable=true in "
                + "the broker's URL")
    }
}
