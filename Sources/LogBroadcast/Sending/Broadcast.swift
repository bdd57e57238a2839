import DedicatedThread
import Glibc
public import Logging
import Synchronization

/// The way of this process's log records to everybody who watches.
///
/// ```swift
/// let broadcast = try Broadcast(to: BroadcastURL("amqp://guest@localhost"))
/// let logger = broadcast.logger(label: "backup")
/// logger.info("begun", metadata: ["volume": "data"])
/// logger.error("failed", error: error)
/// await broadcast.shutdown(within: .seconds(2))
/// ```
/// Records wait in a buffer of a few megabytes, and are sent by a thread of its own. While nobody can be reached the
/// oldest make room; how many were dropped is broadcast as a record as soon as there is room.
public final class Broadcast: Sendable {
    /// The host's name, as records have it.
    public let machine: String
    let pid = Int(getpid())
    private let buffer: RecordBuffer
    private let transport: any BroadcastTransport
    private let troubles: Troubles
    private let sending = Mutex<Task<Int, Never>?>(nil)

    init(over transport: any BroadcastTransport, options: BroadcastOptions, troubles: Troubles) {
        machine = options.machine
        buffer = RecordBuffer(limit: options.bufferBytes)
        self.transport = transport
        self.troubles = troubles
        let task = Task.detached { [buffer, transport, machine, pid] in
            await Self.send(from: buffer, to: transport, machine: machine, pid: pid)
        }
        sending.withLock { $0 = task }
    }

    deinit {
        buffer.close()
    }

    /// A logger that writes to the screen (standard error) and to the broadcast.
    ///
    /// - Parameters:
    ///   - label: The logger's label.
    ///   - level: The least severe level of both.
    /// - Returns: The logger.
    public func logger(label: String, level: Logger.Level = .info) -> Logger {
        Logger(label: label) { label in
            var screen = StreamLogHandler.standardError(label: label)
            screen.logLevel = level
            return MultiplexLogHandler([screen, BroadcastLogHandler(label: label, to: self, level: level)])
        }
    }

    /// Broadcasts a record of the caller's making, whose number is set here; never waits.
    ///
    /// - Parameter record: The record.
    public func send(_ record: LogRecord) {
        buffer.append(record)
    }

    /// Sends what waits, as far as that is possible in time, and ends; later records are lost.
    ///
    /// - Parameter limit: How long it may take.
    /// - Returns: How many records were neither sent nor told of as dropped; 0 when all is well.
    @discardableResult
    public func shutdown(within limit: Duration) async -> Int {
        buffer.close()
        let task = sending.withLock { sending in
            defer { sending = nil }
            return sending
        }
        guard let task else { return 0 }
        let answer = FirstAnswer<Int?>()
        let waiting = Task.detached { _ = answer.offer(await task.value) }
        let clock = Task.detached {
            try? await Task.sleep(for: limit)
            _ = answer.offer(nil)
        }
        let unsent = await answer.value()
        clock.cancel()
        // What is under way is given up, so that the task ends now, if it has not.
        await transport.close()
        await waiting.value
        let left = if let unsent { unsent } else { await task.value }
        if left > 0 { troubles.say("\(left) records could not be sent before the end") }
        return left
    }

    /// Takes batches until the buffer is closed and empty, or the transport is closed.
    ///
    /// - Returns: How many records were left over.
    private static func send(
        from buffer: RecordBuffer, to transport: any BroadcastTransport, machine: String, pid: Int
    ) async -> Int {
        let thread = DedicatedThread(name: "log-broadcast")
        while true {
            let batch = await thread.run { buffer.next() }
            var bodies = batch.records.map(\.json)
            if batch.dropped > 0 { bodies.insert(notice(of: batch.dropped, machine: machine, pid: pid).json, at: 0) }
            let count = bodies.isEmpty ? 0 : await transport.send(bodies)
            let rest = buffer.counts
            guard count == bodies.count else { return bodies.count - count + rest.waiting }
            if batch.isLast { return 0 }
        }
    }

    /// The record that says how many were dropped.
    ///
    /// It has no number: those of the dropped ones are missing.
    private static func notice(of dropped: UInt64, machine: String, pid: Int) -> LogRecord {
        var record = LogRecord(
            .warning, "\(dropped) log records of this process were dropped: its buffer was full", machine: machine,
            logger: "libra.broadcast")
        record.pid = pid
        record.metadata = ["dropped": "\(dropped)"]
        return record
    }
}
