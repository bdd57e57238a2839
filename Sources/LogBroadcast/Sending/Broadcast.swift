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
/// Records wait in a buffer of a few megabytes, and are sent by threads of its own. While nobody can be reached the
/// oldest make room; how many were dropped is broadcast as a record as soon as there is room.
public final class Broadcast: Sendable {
    /// The host's name, as records have it.
    public let machine: String
    /// What is to be said at the start where other hosts can reach what was bound; nil where they cannot.
    public let openBindWarning: String?
    let pid = Int(getpid())
    private let buffer: RecordBuffer
    private let transport: any BroadcastTransport
    private let troubles: Troubles
    private let longestText: Int
    /// Ends when all is sent or given up, with the records that are left.
    private let sending: Task<UnsentRecords, Never>

    /// Begins to connect, in the background, and goes on trying until ``shutdown(within:)``.
    ///
    /// A ZeroMQ endpoint is bound, unless the URL says `?connect`.
    ///
    /// - Parameters:
    ///   - url: Where records go.
    ///   - options: How the program takes part.
    /// - Throws: ``LogBroadcastError``: `invalidArgument`; `unavailable` when a ZeroMQ endpoint cannot be bound. A broker
    ///   that is not there is no error: ``waitUntilReady(within:)`` tells.
    public convenience init(
        to url: BroadcastURL, options: BroadcastOptions = BroadcastOptions()
    ) throws(LogBroadcastError) {
        let troubles = Troubles(of: options)
        let buffer = RecordBuffer(limit: options.bufferBytes)
        let transport: any BroadcastTransport
        switch url.place {
        case .broker(let uri):
            transport = try BrokerTransport(
                to: uri, name: "\(options.program) on \(options.machine)", bytes: options.bufferBytes / 4,
                troubles: troubles)
        case .peers(let endpoint):
            transport = try PeerTransport(
                endpoint, side: url.side ?? .bind, bytes: options.bufferBytes / 4, waits: options.waitsForPeers)
        }
        self.init(
            from: buffer, over: transport, options: options, troubles: troubles,
            openBindWarning: url.taking(.bind).openBindWarning)
    }

    init(
        from buffer: RecordBuffer, over transport: any BroadcastTransport, options: BroadcastOptions,
        troubles: Troubles, openBindWarning: String? = nil
    ) {
        machine = options.machine
        self.openBindWarning = openBindWarning
        self.buffer = buffer
        self.transport = transport
        self.troubles = troubles
        longestText = options.longestText
        let pump = RecordPump(from: buffer, over: transport, machine: machine, pid: pid)
        let thread = DedicatedThread(name: "log-broadcast")
        sending = Task.detached { await thread.run { pump.run() } }
    }

    deinit {
        // Whoever forgot to shut down gets a little time.
        Task.detached { [buffer, transport, sending] in
            await Self.end(buffer, transport, sending, within: .seconds(1))
        }
    }

    /// Waits until a broker is there, or for ZeroMQ somebody who watches.
    ///
    /// - Parameter limit: How long to wait.
    /// - Throws: ``LogBroadcastError``: `unavailable` when nobody was there in time, `refused` as soon as a broker refuses,
    ///   for instance the password. It goes on trying all the same.
    public func waitUntilReady(within limit: Duration) async throws(LogBroadcastError) {
        try await transport.waitUntilReady(within: limit)
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
    /// - Parameter record: The record. A message or an error of more than an eighth of the buffer (512 KiB, unless
    ///   ``BroadcastOptions/bufferBytes`` says otherwise), or of more than a mebibyte, is cut and says by how much;
    ///   metadata that take more are left out and say so.
    public func send(_ record: LogRecord) {
        buffer.append(record.cut(to: longestText))
    }

    /// Broadcasts a record of the caller's making as soon as none has to be dropped for it; to be used by one task.
    ///
    /// - Parameters:
    ///   - record: The record, as in ``send(_:)``.
    ///   - limit: How long to wait for room.
    /// - Returns: Whether there was room in time; if not, the record is not broadcast.
    public func send(_ record: LogRecord, waitingForRoom limit: Duration) async -> Bool {
        let record = record.cut(to: longestText)
        let deadline = ContinuousClock.now + limit
        while let roomIsMade = buffer.appendIfRoom(record) {
            guard .now < deadline else { return false }
            let clock = Task.detached {
                try? await Task.sleep(until: deadline)
                roomIsMade.offer(())
            }
            await roomIsMade.value()
            clock.cancel()
        }
        return true
    }

    /// Sends what waits, as far as that is possible in time, and ends; later records are lost.
    ///
    /// - Parameter limit: How long it may take.
    /// - Returns: How many records were neither sent nor told of as dropped; 0 when all is well.
    @discardableResult
    public func shutdown(within limit: Duration) async -> Int {
        let left = await end(within: limit).count
        if left > 0 { troubles.say("\(left) records could not be sent before the end", isLast: true) }
        return left
    }

    /// As ``shutdown(within:)``, for who says by itself what is left.
    package func end(within limit: Duration) async -> UnsentRecords {
        await Self.end(buffer, transport, sending, within: limit)
    }

    @discardableResult
    private static func end(
        _ buffer: RecordBuffer, _ transport: any BroadcastTransport, _ sending: Task<UnsentRecords, Never>,
        within limit: Duration
    ) async -> UnsentRecords {
        let deadline = ContinuousClock.now + limit
        buffer.close()
        transport.hurry()
        let isEnough = FirstAnswer<Void>()
        let waiting = Task.detached {
            _ = await sending.value
            isEnough.offer(())
        }
        let clock = Task.detached {
            try? await Task.sleep(until: deadline)
            isEnough.offer(())
        }
        await isEnough.value()
        clock.cancel()
        // What is under way is given up, so that the thread ends now, if it has not.
        let stuck = await transport.close(within: max(deadline - .now, .milliseconds(100)))
        await waiting.value
        return await sending.value + stuck
    }
}
