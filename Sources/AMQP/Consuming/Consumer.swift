/// The messages of a queue, as a sequence.
///
/// It goes on over reconnections and ends after ``cancel()`` or when the connection is closed. It throws ``AMQPError``
/// with the code `consumerCancelled` when the broker deletes the queue, and `channelClosed` when the queue is not there
/// after a reconnection: declare it over the same connection, and it will be.
///
/// A message that was not acknowledged when the connection was lost comes again, with ``Delivery/isRedelivered``, if its
/// queue outlived that. The consumer stops when it is released.
public struct Consumer: AsyncSequence, Sendable {
    /// A message.
    public typealias Element = Delivery
    /// What the iteration throws.
    public typealias Failure = AMQPError

    /// The queue's name.
    public var queue: String { lifetime.link.queue }
    private let lifetime: Lifetime

    init(link: ConsumerLink, mailbox: Mailbox) { lifetime = Lifetime(link: link, mailbox: mailbox) }

    /// Stops; the sequence ends after the messages that have arrived.
    ///
    /// Those that are not acknowledged go back to the queue.
    public func cancel() { lifetime.cancel() }

    /// Begins to iterate; several iterators share the messages.
    public func makeAsyncIterator() -> Iterator { Iterator(lifetime: lifetime) }

    /// Takes one message after the other.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let lifetime: Lifetime

        /// Waits for the next message.
        ///
        /// - Returns: The message; `nil` when the consumer ended or the task was cancelled.
        public mutating func next() async throws(AMQPError) -> Delivery? {
            try await lifetime.link.inbox.next()
        }

        /// Waits for the next message, as ``next()`` does.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(AMQPError) -> Delivery? {
            try await lifetime.link.inbox.next()
        }
    }

    /// Cancels the consumer when nobody holds it any more.
    fileprivate final class Lifetime: Sendable {
        let link: ConsumerLink
        private let mailbox: Mailbox

        init(link: ConsumerLink, mailbox: Mailbox) {
            self.link = link
            self.mailbox = mailbox
        }

        deinit { cancel() }

        func cancel() { _ = mailbox.post(.cancelConsumer(link)) }
    }
}
