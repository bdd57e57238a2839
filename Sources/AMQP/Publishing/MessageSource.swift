/// Where a ``SourcePublisher`` takes its messages from, without a suspension or an allocation for each.
///
/// All methods are called on the connection's thread, one at a time, and must not block it: what they need from other
/// threads stands behind a lock that is held shortly.
public protocol MessageSource: AnyObject, Sendable {
    /// Publishes what waits, until there is nothing more or ``PublishWindow/publish(_:to:)`` returns `nil`.
    ///
    /// It is called when ``SourcePublisher/wake()`` was, and again whenever there is room after `nil`. It is not called
    /// while there is no connection or the broker blocks publishers.
    func publish(into window: inout PublishWindow)

    /// Hears what became of messages; each is in exactly one range.
    func settled(_ sequences: ClosedRange<UInt64>, _ outcome: PublishOutcome)

    /// Takes a mandatory message back that no queue took. The broker confirms it all the same, just after.
    func returned(_ message: ReturnedMessage)

    /// Hears that the publisher has its channel: at first, and again after each ``disconnected()``.
    func connected()

    /// Hears that the channel or connection is gone, after what was on its way was reported as lost. Nothing is asked for
    /// until ``connected()``.
    func disconnected()

    /// Hears that the publisher or the connection was closed, and nothing will be asked any more.
    func ended(_ error: AMQPError)
}

extension MessageSource {
    /// Does nothing.
    public func connected() {}

    /// Does nothing.
    public func disconnected() {}

    /// Does nothing.
    public func ended(_ error: AMQPError) {}

    /// Does nothing; enough for sources without mandatory messages.
    public func returned(_ message: ReturnedMessage) {}
}

/// What became of published messages.
public enum PublishOutcome: Sendable {
    /// The broker is responsible for them now: each is in every queue that it was routed to.
    case confirmed
    /// The broker refused them (`basic.nack`).
    case refused
    /// The channel or connection ended before the broker said anything: it may have them, or not.
    case lost(AMQPError)
}

/// A mandatory message that no queue took.
public struct ReturnedMessage: Sendable {
    /// The message's number, as ``PublishWindow/publish(_:to:)`` returned it.
    public let sequence: UInt64?
    /// AMQP's reply code, 312 for a message that was routed to no queue.
    public let replyCode: Int
    /// AMQP's reply text, such as `NO_ROUTE`.
    public let replyText: String
    /// The exchange it was published to.
    public let exchange: String
    /// Its routing key.
    public let routingKey: String
    /// Its properties.
    public let properties: MessageProperties
    /// Its body.
    public let body: [UInt8]
}

/// The room for messages that a publisher has at a moment: how a ``MessageSource`` publishes.
public struct PublishWindow: ~Copyable {
    let channel: PublisherChannel
    let session: Session

    /// How many messages may still go before the oldest has to be confirmed.
    public var room: Int { channel.ledger.room }

    /// Publishes a message.
    ///
    /// - Parameters:
    ///   - body: The body; it is copied before this returns.
    ///   - route: Where it goes.
    /// - Returns: The message's number, which counts up by one for each message of the publisher, over reconnections
    ///   too; `nil` when there is no room now. The message was not taken then and is to be offered again.
    public mutating func publish(_ body: UnsafeRawBufferPointer, to route: Route) -> UInt64? {
        channel.publish(body, to: route.encoded, over: session)
    }
}
