internal import DedicatedThread
internal import Logging
internal import Synchronization
internal import ZeroMQ

/// Receives what PUSH sockets send, with a thread of its own.
///
/// The thread reads ahead by one batch of ``PushBatch/enough`` bytes; libzmq by some messages of each sender.
final class PushInlet: Sendable {
    private let queue: PushQueue
    /// The endpoints that were bound, with the ports that were chosen.
    let endpoints: [Endpoint]
    private let damaged: Atomic<UInt64>.Box

    init(_ options: ReceiverOptions, logger: Logger?) throws(LogTransportError) {
        let wake = try EventDescriptor()
        let queue = PushQueue(wake: wake)
        let loop = try PushInletLoop(options, queue: queue, wake: wake, logger: logger)
        self.queue = queue
        endpoints = loop.endpoints
        damaged = loop.damaged
        let handedOver = Mutex<PushInletLoop?>(loop)
        DedicatedThread(name: "zmq-pull").start {
            do throws(LogTransportError) {
                try handedOver.withLock { $0.take() }?.run()
            } catch {
                queue.fail(error)
            }
            queue.end()
        }
    }

    deinit { queue.close() }

    /// Messages that claimed to be batches and were none.
    var garbage: UInt64 { damaged.value.load(ordering: .relaxed) }

    /// The next batch; nil after ``close()``, or when the task was cancelled.
    func next() async throws(LogTransportError) -> PushBatch? { try await queue.next() }

    /// Closes the socket.
    func close() async {
        queue.close()
        await queue.waitForEnd()
    }
}

extension Atomic where Value == UInt64 {
    /// A counter that several own.
    final class Box: Sendable {
        let value = Atomic<UInt64>(0)
    }
}
