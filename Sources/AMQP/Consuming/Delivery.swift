/// A message that a consumer got.
public struct Delivery: Sendable {
    /// The body.
    public let body: [UInt8]
    /// The exchange it was published to.
    public let exchange: String
    /// Its routing key.
    public let routingKey: String
    /// Whether it was delivered before and not acknowledged then.
    public let isRedelivered: Bool
    /// Its properties.
    public let properties: MessageProperties
    let tag: UInt64
    /// Which of the consumer's channels, one after the other, brought it.
    package let generation: Int
    let inbox: Inbox

    /// Tells the broker that the message is done with.
    ///
    /// After the connection was lost the broker delivers it again, and this has no effect. The same goes for the other
    /// ways to answer, and for a second answer. With ``ConsumerOptions/Acknowledgement/onNext`` none has an effect.
    public func acknowledge() { inbox.answer(self, .acknowledge) }

    /// Tells the broker that the message was not handled (`basic.nack`).
    ///
    /// - Parameter requeue: Whether the queue takes it back; otherwise it is dropped or dead-lettered.
    public func negativelyAcknowledge(requeue: Bool) { inbox.answer(self, .negative(requeue: requeue)) }

    /// Tells the broker that the message is refused (`basic.reject`).
    ///
    /// - Parameter requeue: Whether the queue takes it back; otherwise it is dropped or dead-lettered.
    public func reject(requeue: Bool) { inbox.answer(self, .reject(requeue: requeue)) }
}

/// What a consumer says of a message.
enum Answer: Sendable, Equatable {
    case acknowledge
    case acknowledgeThrough
    case negative(requeue: Bool)
    case reject(requeue: Bool)
}

/// An answer on its way to the broker.
struct TaggedAnswer: Sendable, Equatable {
    let tag: UInt64
    let answer: Answer
}
