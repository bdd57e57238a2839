internal import CRabbitMQ
internal import DedicatedThread
internal import Logging

/// What other threads know of a consumer.
struct ConsumerLink: Sendable {
    let queue: String
    let options: ConsumerOptions
    let inbox: Inbox
    /// Settled when the broker has said for the first time that the consumer is there, or that it will not be.
    let started: FirstAnswer<Result<Void, AMQPError>>
}

/// A channel with one consumer.
final class ConsumerChannel: ChannelUser {
    private struct Head {
        let tag: UInt64
        let isRedelivered: Bool
        let exchange: String
        let routingKey: String
    }

    let link: ConsumerLink
    private let logger: Logger
    private var channel: UInt16?
    private var generation = 0
    private var deliveries = ContentAssembly<Head>()
    private var answers: [TaggedAnswer] = []
    private var sentAnswers = 0
    private var backoff = Backoff(minimum: .milliseconds(100), maximum: .seconds(10))
    /// What keeps the messages that are sent ahead to a number of bytes, where that is asked for.
    private var window: PrefetchWindow?
    /// The delivery tag of the message that comes.
    private var newestTag: UInt64 = 0
    /// The number of the consumer at the broker, which is its tag too.
    private var consumerNumber = 0
    /// Whether the consumer before that one has not ended yet.
    private var isReplacing = false

    init(_ link: ConsumerLink, logger: Logger) {
        self.link = link
        self.logger = logger
    }

    // MARK: Answers

    /// Sends what the program said of messages, as far as there is room.
    func sendAnswers(over session: Session) throws(AMQPError) {
        guard let channel else { return }
        if sentAnswers == answers.count {
            answers = link.inbox.takeAnswers()
            sentAnswers = 0
        }
        while sentAnswers < answers.count, session.hasRoom(for: 64) {
            let entry = answers[sentAnswers]
            sentAnswers += 1
            window?.settle(entry.tag, through: entry.answer == .acknowledgeThrough)
            switch entry.answer {
            case .acknowledge, .acknowledgeThrough:
                let multiple: amqp_boolean_t = entry.answer == .acknowledgeThrough ? 1 : 0
                try session.send(
                    AMQP_BASIC_ACK_METHOD, amqp_basic_ack_t(delivery_tag: entry.tag, multiple: multiple), on: channel)
            case .negative(let requeue):
                try session.send(
                    AMQP_BASIC_NACK_METHOD,
                    amqp_basic_nack_t(delivery_tag: entry.tag, multiple: 0, requeue: requeue ? 1 : 0), on: channel)
            case .reject(let requeue):
                try session.send(
                    AMQP_BASIC_REJECT_METHOD,
                    amqp_basic_reject_t(delivery_tag: entry.tag, requeue: requeue ? 1 : 0), on: channel)
            }
        }
        try adjustPrefetch(over: session)
    }

    // MARK: The consumer at the broker

    /// Has the broker send more or fewer messages ahead.
    ///
    /// A prefetch counts for the consumers that begin after it. So another one begins, and only then the old one ends: a
    /// queue that goes with its last consumer stays. What the old one brought can still be answered.
    private func adjustPrefetch(over session: Session) throws(AMQPError) {
        guard let channel, !isReplacing, session.hasRoom(for: 20_000), let count = window?.change() else { return }
        let old = consumerNumber
        isReplacing = true
        try consume(prefetch: count, on: channel, of: session)
        let memory = CMemory()
        try session.send(
            AMQP_BASIC_CANCEL_METHOD, amqp_basic_cancel_t(consumer_tag: memory.bytes("\(old)"), nowait: 0), on: channel)
        withExtendedLifetime(memory) {}
    }

    private func consume(prefetch: Int, on channel: UInt16, of session: Session) throws(AMQPError) {
        consumerNumber += 1
        try session.send(
            AMQP_BASIC_QOS_METHOD,
            amqp_basic_qos_t(prefetch_size: 0, prefetch_count: UInt16(prefetch), global: 0), on: channel)
        let memory = CMemory()
        try session.send(
            AMQP_BASIC_CONSUME_METHOD,
            amqp_basic_consume_t(
                ticket: 0, queue: memory.bytes(link.queue), consumer_tag: memory.bytes("\(consumerNumber)"),
                no_local: 0,
                no_ack: 0, exclusive: link.options.isExclusive ? 1 : 0, nowait: 0,
                arguments: memory.table(link.options.arguments)), on: channel)
        withExtendedLifetime(memory) {}
    }

    // MARK: The channel's life

    func opened(_ channel: UInt16, of session: Session) throws(AMQPError) {
        self.channel = channel
        let begun = link.inbox.beginGeneration()
        generation = begun.number
        if begun.dropped > 0 {
            logger.warning(
                "messages that nobody took were dropped when the connection was made again",
                metadata: [LogKey.queue: "\(link.queue)", LogKey.dropped: "\(begun.dropped)"])
        }
        window = link.options.prefetchBytes.map { PrefetchWindow(most: link.options.prefetch, limit: $0) }
        isReplacing = false
        newestTag = 0
        try consume(prefetch: window?.count ?? link.options.prefetch, on: channel, of: session)
    }

    func receive(_ method: amqp_method_t, over session: Session) throws(AMQPError) {
        switch method.id {
        case AMQP_BASIC_DELIVER_METHOD:
            let fields = try method.fields(amqp_basic_deliver_t.self)
            // The count of what is not answered depends on it.
            guard window == nil || fields.delivery_tag == newestTag + 1 else { throw unexpected(method) }
            newestTag = fields.delivery_tag
            try deliveries.begin(
                Head(
                    tag: fields.delivery_tag, isRedelivered: fields.redelivered != 0, exchange: text(fields.exchange),
                    routingKey: text(fields.routing_key)))
        case AMQP_BASIC_QOS_OK_METHOD: break
        case AMQP_BASIC_CONSUME_OK_METHOD:
            if let channel { session.settled(channel) }
            backoff.reset()
            link.started.offer(.success(()))
        case AMQP_BASIC_CANCEL_OK_METHOD:
            isReplacing = false
            try adjustPrefetch(over: session)
        case AMQP_BASIC_CANCEL_METHOD:
            let error = AMQPError(
                .consumerCancelled,
                "the broker cancelled the consumer of queue '\(link.queue)'; was the queue deleted?")
            try close(over: session)
            session.forget(self)
            end(error)
        default: throw unexpected(method)
        }
    }

    func receive(_ content: ContentFrame, over session: Session) throws(AMQPError) {
        let message = try deliveries.take(content)
        if window != nil, case .header(let bodySize, _) = content {
            // While the body comes the broker hears of it: it may have many more like that.
            window?.arrive(newestTag, bytes: Int(bodySize))
            try adjustPrefetch(over: session)
        }
        guard let message else { return }
        link.inbox.append(
            Delivery(
                body: message.body, exchange: message.head.exchange, routingKey: message.head.routingKey,
                isRedelivered: message.head.isRedelivered, properties: message.properties, tag: message.head.tag,
                generation: generation, inbox: link.inbox))
    }

    func refused(_ error: AMQPError, by session: Session) throws(AMQPError) {
        let error = AMQPError(
            .channelClosed,
            "cannot consume from queue '\(link.queue)': \(error.replyCode ?? 0) \(error.replyText ?? "")",
            replyCode: error.replyCode, replyText: error.replyText)
        disconnected(error)
        guard error.isRetriable else {
            session.forget(self)
            return end(error)
        }
        session.openLater(self, in: backoff.next())
    }

    func disconnected(_ error: AMQPError) {
        channel = nil
        deliveries = ContentAssembly()
        answers = []
        sentAnswers = 0
    }

    /// Ends the sequence; with `nil` after what has arrived.
    func end(_ error: AMQPError?) {
        link.started.offer(.failure(error ?? AMQPError(.closed, "the consumer of queue '\(link.queue)' was closed")))
        link.inbox.end(error)
    }

    /// Gives the channel back; what was not acknowledged goes back to the queue.
    func close(over session: Session) throws(AMQPError) {
        try sendAnswers(over: session)
        if let channel { try session.close(channel) }
        channel = nil
    }
}
