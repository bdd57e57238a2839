internal import DedicatedThread
package import Logging
internal import Synchronization
package import ZeroMQ

/// Receives lines so that none is lost: a receiver of the reliable protocol, docs/wire.md.
///
/// Its sockets have a thread of their own, which answers heartbeats however long the processing of a batch takes. Say
/// ``processed(_:lines:)`` when lines are where they are safe; what was not said to be is sent again when this receiver
/// is gone. The caller processes batches one after the other, in the order in which they come.
package final class ReliableInlet: Sendable {
    private let queue: ReliableQueue
    /// The endpoints that were bound, with the ports that were chosen.
    package let endpoints: [Endpoint]

    /// Binds and connects.
    ///
    /// - Parameters:
    ///   - options: Where, and how much is taken at once.
    ///   - logger: Told of connections that fail.
    /// - Throws: ``LogTransportError``: `invalidArgument`, or `unavailable` when an endpoint cannot be bound.
    package init(_ options: ReliableInletOptions, logger: Logger) throws(LogTransportError) {
        let wake = try EventDescriptor()
        let queue = ReliableQueue(wake: wake)
        self.queue = queue
        let loop = try ReliableInletLoop(options, queue: queue, wake: wake, logger: logger)
        endpoints = loop.endpoints
        let handedOver = Mutex<ReliableInletLoop?>(loop)
        DedicatedThread(name: "zmq-reliable").start {
            do throws(LogTransportError) {
                try handedOver.withLock { $0.take() }?.run()
            } catch {
                queue.fail(error)
            }
            // The loop is gone, and its context with it: what was said at the end has left.
            queue.end()
        }
    }

    /// Messages that came in and are none of the protocol, or break it.
    package var garbage: UInt64 { queue.garbage }

    deinit { queue.close() }

    /// The next batch; waits until there is one.
    ///
    /// - Returns: The batch; nil after ``close()``, or when the task was cancelled.
    /// - Throws: ``LogTransportError`` when nothing can come any more.
    package func next() async throws(LogTransportError) -> ReliableBatch? { try await queue.next() }

    /// Notes that lines are where they are safe; those before them in the same batch and session are, too.
    ///
    /// - Parameters:
    ///   - batch: The batch.
    ///   - lines: How many of its lines, those that were passed over included; nil for all.
    package func processed(_ batch: ReliableBatch, lines: Int? = nil) {
        let lines = lines ?? batch.count
        let sequence = batch.header.sequence
        queue.processed(
            lines >= batch.count
                ? WireMessage.Progress(sequence: sequence, lines: 0)
                : WireMessage.Progress(sequence: sequence - 1, lines: UInt32(max(0, lines))),
            in: batch.session)
    }

    /// Tells the senders what was processed, and that the rest is for others; returns when they know, or after the linger.
    package func close() async {
        queue.close()
        await queue.waitForEnd()
    }
}
