internal import DedicatedThread

/// Publishes messages and waits until the broker has confirmed each.
///
/// A message that is not confirmed when the connection is lost is sent again when it is back, in the order of before:
/// it arrives at least once, and perhaps twice. A task waits as long as there is no connection, or the broker blocks
/// publishers; cancel it to give up.
///
/// It closes with the connection, or when it is released.
public final class Publisher: Sendable {
    private let source: QueueSource
    private let publisher: SourcePublisher

    init(source: QueueSource, publisher: SourcePublisher) {
        self.source = source
        self.publisher = publisher
    }

    deinit { publisher.close() }

    /// Publishes a message and waits until the broker confirms it.
    ///
    /// Many tasks may do so at once; their messages go in the order of the calls, as many at once as the window has.
    ///
    /// - Parameters:
    ///   - body: The body.
    ///   - route: Where it goes.
    /// - Throws: ``AMQPError`` with the code `unroutable` when it is mandatory and no queue took it, `messageRefused` when
    ///   the broker refused it, `channelClosed` when the broker closed the channel over it or one sent with it (for
    ///   instance with reply code 404 when there is no such exchange), `closed`, or `cancelled`; it may have arrived
    ///   after the last three.
    public func publish(_ body: [UInt8], to route: Route) async throws(AMQPError) {
        guard let message = source.append(body, route) else { throw AMQPError(.closed, "the publisher was closed") }
        publisher.wake()
        try await withTaskCancellationHandler {
            await message.answer.value()
        } onCancel: {
            message.answer.offer(.failure(AMQPError(.cancelled, "the wait for the confirm was cancelled")))
            source.discard(message)
        }.get()
    }
}
