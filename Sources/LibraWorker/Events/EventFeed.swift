import DedicatedThread
import Logging
import MessageLog

/// The way of this host's events to the brokers: nobody who has an event waits for anything.
final class EventFeed: Sendable {
    private let queue: EventQueue
    private let producer: ConcurrentProducer
    private let logger: Logger
    private let sending: Task<Void, Never>

    /// Begins to send what is told.
    init(to producer: ConcurrentProducer, queue: EventQueue, logger: Logger) {
        self.queue = queue
        self.producer = producer
        self.logger = logger
        sending = Task.detached { await Self.send(from: queue, to: producer, logger) }
    }

    /// Takes an event; never waits.
    func tell(_ event: WorkerEvent) { queue.append(event) }

    /// Takes no more events, and lets those that are there get to a broker or into the spool.
    ///
    /// - Parameter limit: How long that may take.
    func shutdown(within limit: Duration) async {
        queue.end()
        let answer = FirstAnswer<Bool>()
        let alarm = Task.detached {
            try? await Task.sleep(for: limit)
            answer.offer(false)
        }
        Task.detached { [sending, producer] in
            await sending.value
            await producer.close()
            answer.offer(true)
        }
        if await !answer.value() {
            logger.warning("events of the last moment are lost: the brokers and the spool are slow")
        }
        alarm.cancel()
    }

    private static func send(from queue: EventQueue, to producer: ConcurrentProducer, _ logger: Logger) async {
        var dropped: UInt64 = 0
        while let batch = await queue.next() {
            if queue.dropped > dropped {
                logger.warning("\(queue.dropped - dropped) events are lost: there was no room for them")
                dropped = queue.dropped
            }
            do throws(MessageLogError) {
                for error in try await send(batch, to: producer).refusals { note(batch.count, error, logger) }
            } catch {
                note(batch.count, error, logger)
            }
        }
    }

    /// Returns when each broker has the events, or they wait for it in the spool.
    private static func send(
        _ batch: MessageBatch, to producer: ConcurrentProducer
    ) async throws(MessageLogError) -> Receipt {
        while true {
            if let sent = try producer.offer(batch) { return try await sent.receipt() }
            try await producer.waitForRoom()
        }
    }

    private static func note(_ count: Int, _ error: MessageLogError, _ logger: Logger) {
        logger.warning("events are lost", metadata: ["events": "\(count)", "error": "\(error)"])
    }
}
