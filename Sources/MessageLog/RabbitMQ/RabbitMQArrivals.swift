internal import AMQP
internal import Logging
internal import Synchronization

/// The messages that RabbitMQ has handed to a reader and that are not committed, in the order of their arrival.
///
/// There are at most as many as the consumer's prefetch, and as many bytes as given, or one message. What comes beyond
/// that is forgotten, and so is all that follows: RabbitMQ has it still, and gives it to the consumer that comes next.
final class RabbitMQArrivals: Sendable {
    private struct Open {
        let message: Message
        let delivery: AMQP.Delivery
        let number: UInt64
    }

    private struct State {
        var open: [Open] = []
        var openBytes = 0
        /// Whether messages were forgotten.
        var isOverfull = false
        /// How many messages came, and how many bytes the longest has.
        var arrived = 0
        var longest = 0
        /// How many of them the reader has handed out.
        var taken = 0
        var count: UInt64 = 0
        /// The channel that brought the newest.
        var generation = 0
        /// Why nothing comes any more.
        var end: MessageLogError?
        var isTold = false
        var task: Task<Void, Never>?
    }

    private let state = Mutex(State())
    private let news = WakeUp()
    private let broker: String
    private let limit: Int
    private let logger: Logger

    /// Creates a place for what comes.
    ///
    /// - Parameters:
    ///   - broker: Where it comes from.
    ///   - limit: How many bytes of messages are held.
    ///   - number: The number behind which messages are counted.
    ///   - logger: Where is said what is refused.
    init(broker: String, limit: Int, behind number: UInt64, logger: Logger) {
        self.broker = broker
        self.limit = limit
        self.logger = logger
        state.withLock { $0.count = number }
    }

    // MARK: The reader's side

    /// Messages that were not handed out yet, about as many bytes as given.
    ///
    /// - Throws: ``MessageLogError``, after the last message, when the consumer has ended.
    func take(_ bytes: Int) throws(MessageLogError) -> [Message] {
        let (messages, error) = state.withLock { state -> ([Message], MessageLogError?) in
            var messages: [Message] = []
            var count = 0
            while state.taken < state.open.count, messages.isEmpty || count < bytes {
                let message = state.open[state.taken].message
                messages.append(message)
                count += message.body.count
                state.taken += 1
            }
            if messages.isEmpty, let end = state.end {
                state.isTold = true
                return ([], end)
            }
            return (messages, nil)
        }
        if let error { throw error }
        return messages
    }

    /// How many messages are not committed.
    var openCount: Int { state.withLock { $0.open.count } }

    /// The number of the newest message.
    var newest: UInt64 { state.withLock { $0.count } }

    /// Whether messages were forgotten, so that no more come.
    var isOverfull: Bool { state.withLock { $0.isOverfull } }

    /// How many messages came, and how many bytes the longest has.
    var sizes: (arrived: Int, longest: Int) { state.withLock { ($0.arrived, $0.longest) } }

    /// Whether nothing comes any more, and the reader has heard why.
    var isOver: Bool { state.withLock { $0.isTold } }

    /// Waits until there is something to take.
    func wait(atMost limit: Duration) async throws(MessageLogError) {
        let deadline = ContinuousClock.now + limit
        while !state.withLock({ $0.taken < $0.open.count || $0.end != nil }), .now < deadline {
            if Task.isCancelled { throw MessageLogError(.cancelled, "the wait for messages was cancelled") }
            await withTaskCancellationHandler {
                await news.wait(until: deadline)
            } onCancel: {
                news.ring()
            }
        }
    }

    /// Acknowledges a message and those of its key that came before it.
    func commit(through number: UInt64, of key: RoutingKey) {
        state.withLock { state in
            var kept: [Open] = []
            for (index, open) in state.open.enumerated() {
                guard index < state.taken, open.number <= number, open.message.key == key else {
                    kept.append(open)
                    continue
                }
                open.delivery.acknowledge()
                state.openBytes -= open.message.body.count
            }
            state.taken -= state.open.count - kept.count
            state.open = kept
        }
    }

    /// Hands out again what is not committed.
    func rewind() {
        state.withLock { $0.taken = 0 }
        news.ring()
    }

    /// Waits until the consumer has ended.
    func ended() async { await state.withLock { $0.task }?.value }

    // MARK: The consumer's side

    /// Begins to take messages from RabbitMQ.
    func start(_ consumer: AMQP.Consumer) {
        let task = Task {
            do throws(AMQPError) {
                var deliveries = consumer.makeAsyncIterator()
                while let delivery = try await deliveries.next() { append(delivery) }
                end(MessageLogError(.closed, "the consumer at \(broker) was closed"))
            } catch {
                end(MessageLogError(error, "the consumer at \(broker) has ended"))
            }
        }
        state.withLock { $0.task = task }
    }

    private func append(_ delivery: AMQP.Delivery) {
        let key: RoutingKey
        do throws(MessageLogError) {
            key = try RoutingKey(delivery.routingKey)
        } catch {
            // Another producer's; kept in the queue it would come again and again.
            logger.error(
                "a message whose routing key is none is refused, and goes to the queue's dead-letter exchange if it has one",
                metadata: ["broker": "\(broker)", "error": "\(error)"])
            delivery.reject(requeue: false)
            return
        }
        state.withLock { state in
            if delivery.generation != state.generation {
                // The connection was lost: what was not committed comes again.
                state.generation = delivery.generation
                state.open = []
                state.openBytes = 0
                state.isOverfull = false
                state.taken = 0
            }
            let size = delivery.body.count
            state.arrived += 1
            state.longest = max(state.longest, size)
            // Once one is left out, those behind it are, so that none comes before it.
            if state.isOverfull || !state.open.isEmpty && state.openBytes + size > limit {
                state.isOverfull = true
                return
            }
            state.openBytes += size
            state.count += 1
            state.open.append(
                Open(
                    message: Message(
                        key: key, body: delivery.body[...], time: RabbitMQTime.time(of: delivery.properties),
                        position: .delivery(state.count)),
                    delivery: delivery, number: state.count))
        }
        news.ring()
    }

    private func end(_ error: MessageLogError) {
        state.withLock { $0.end = error }
        news.ring()
    }
}
