internal import CRabbitMQ
internal import Synchronization

/// What other threads know of a publisher.
final class PublisherLink: Sendable {
    let source: any MessageSource
    let window: Int
    private let hasNews = Atomic(true)
    private let wakeUp: WakeUp

    init(source: any MessageSource, window: Int, wakeUp: WakeUp) {
        self.source = source
        self.window = window
        self.wakeUp = wakeUp
    }

    /// Has the source asked for messages.
    func wake() {
        if !hasNews.exchange(true, ordering: .acquiringAndReleasing) { wakeUp.signal() }
    }

    /// Whether it was woken since the last call.
    func takeNews() -> Bool {
        hasNews.load(ordering: .relaxed) && hasNews.exchange(false, ordering: .acquiringAndReleasing)
    }
}

/// A channel in confirm mode, and what of its messages is not settled.
final class PublisherChannel: ChannelUser {
    private struct Return {
        let replyCode: Int
        let replyText: String
        let exchange: String
        let routingKey: String
    }

    let link: PublisherLink
    private(set) var ledger: ConfirmLedger
    private var channel: UInt16?
    private var isOpen = false
    private var hasMore = true
    private var isClosing = false
    private var returns = ContentAssembly<Return>()
    /// What is left of the body of a large message while the socket has no room.
    private var rest: [UInt8] = []
    private var restOffset = 0
    private var backoff = Backoff(minimum: .milliseconds(100), maximum: .seconds(10))

    init(_ link: PublisherLink) {
        self.link = link
        ledger = ConfirmLedger(window: link.window)
    }

    // MARK: Publishing

    /// Lets the source publish, when there is something and there is room for it.
    func publish(over session: Session) throws(AMQPError) {
        guard isOpen, sendRest(over: session) else { return }
        if isClosing { return try close(over: session) }
        if link.takeNews() { hasMore = true }
        guard hasMore, ledger.room > 0 else { return }
        hasMore = false
        var window = PublishWindow(channel: self, session: session)
        link.source.publish(into: &window)
    }

    func publish(_ body: UnsafeRawBufferPointer, to route: EncodedRoute, over session: Session) -> UInt64? {
        // A body frame that is full to the last byte would be held back by librabbitmq's MSG_MORE.
        let isSmall = body.count < session.bodyFrameBytes
        guard let channel, isOpen, restOffset == rest.count, ledger.room > 0, !session.isBlocked,
            session.hasRoom(for: route.overhead + (isSmall ? body.count : 0))
        else {
            hasMore = true
            return nil
        }
        let sequence = ledger.send()
        withProperties(of: route, sequence: sequence) { properties in
            if isSmall {
                session.publish(body, to: route, properties: properties, on: channel)
                return
            }
            session.publishHead(bodySize: body.count, to: route, properties: properties, on: channel)
            let sent = session.sendBody(body, on: channel)
            if sent < body.count {
                rest = Array(body[sent...])
                restOffset = 0
            }
        }
        return sequence
    }

    private func sendRest(over session: Session) -> Bool {
        guard restOffset < rest.count, let channel else { return true }
        restOffset += rest.withUnsafeBytes {
            session.sendBody(UnsafeRawBufferPointer(rebasing: $0[restOffset...]), on: channel)
        }
        guard restOffset == rest.count else { return false }
        rest = []
        restOffset = 0
        return true
    }

    private func withProperties(
        of route: EncodedRoute, sequence: UInt64, _ body: (UnsafePointer<amqp_basic_properties_t>) -> Void
    ) {
        guard route.isMandatory else { return body(route.properties) }
        let memory = CMemory()
        body(route.properties(withHeader: sequenceHeader, sequence, in: memory))
        withExtendedLifetime(memory) {}
    }

    // MARK: The channel's life

    func opened(_ channel: UInt16, of session: Session) throws(AMQPError) {
        self.channel = channel
        try session.send(AMQP_CONFIRM_SELECT_METHOD, amqp_confirm_select_t(nowait: 0), on: channel)
    }

    func receive(_ method: amqp_method_t, over session: Session) throws(AMQPError) {
        switch method.id {
        case AMQP_BASIC_ACK_METHOD:
            let fields = try method.fields(amqp_basic_ack_t.self)
            try settle(tag: fields.delivery_tag, isMultiple: fields.multiple != 0, .confirmed)
            backoff.reset()
        case AMQP_BASIC_NACK_METHOD:
            let fields = try method.fields(amqp_basic_nack_t.self)
            try settle(tag: fields.delivery_tag, isMultiple: fields.multiple != 0, .refused)
        case AMQP_BASIC_RETURN_METHOD:
            let fields = try method.fields(amqp_basic_return_t.self)
            try returns.begin(
                Return(
                    replyCode: Int(fields.reply_code), replyText: text(fields.reply_text),
                    exchange: text(fields.exchange), routingKey: text(fields.routing_key)))
        case AMQP_CONFIRM_SELECT_OK_METHOD:
            isOpen = true
            hasMore = true
            link.source.connected()
            if let channel { session.settled(channel) }
        default: throw unexpected(method)
        }
    }

    func receive(_ content: ContentFrame, over session: Session) throws(AMQPError) {
        guard let message = try returns.take(content) else { return }
        let sequence: UInt64? =
            if case .integer(let number)? = message.properties.headers[sequenceHeader] {
                UInt64(exactly: number)
            } else {
                nil
            }
        link.source.returned(
            ReturnedMessage(
                sequence: sequence, replyCode: message.head.replyCode, replyText: message.head.replyText,
                exchange: message.head.exchange, routingKey: message.head.routingKey, properties: message.properties,
                body: message.body))
    }

    private func settle(tag: UInt64, isMultiple: Bool, _ outcome: PublishOutcome) throws(AMQPError) {
        guard let ranges = ledger.settle(tag: tag, isMultiple: isMultiple) else {
            throw AMQPError(.protocolViolation, "the broker confirms message \(tag), which was never sent")
        }
        for range in ranges { link.source.settled(range, outcome) }
    }

    func refused(_ error: AMQPError, by session: Session) throws(AMQPError) {
        disconnected(error)
        session.openLater(self, in: backoff.next())
    }

    func disconnected(_ error: AMQPError) {
        let wasOpen = isOpen
        channel = nil
        isOpen = false
        hasMore = true
        returns = ContentAssembly()
        rest = []
        restOffset = 0
        for range in ledger.restart() { link.source.settled(range, .lost(error)) }
        if wasOpen { link.source.disconnected() }
    }

    /// The publisher was closed, or the connection.
    func end(_ error: AMQPError) {
        disconnected(error)
        link.source.ended(error)
    }

    /// Gives the channel back; first it sends the rest of a message that it has begun, as AMQP wants.
    func close(over session: Session) throws(AMQPError) {
        isClosing = true
        guard restOffset == rest.count else { return }
        if let channel { try session.close(channel) }
        session.forget(self)
        end(AMQPError(.closed, "the publisher was closed"))
    }
}
