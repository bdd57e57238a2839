import Glibc
package import Logging
package import Spool
package import ZeroMQ

/// Hands lines on over a PUSH socket.
///
/// Each line is copied once, into a block of many; libzmq sends from there and tells when it has let go of it. So it is
/// known at each moment what libzmq has, in lines and in bytes, which is what bounds the memory and what is counted as left
/// over at the end.
package final class PushOutlet: Outlet {
    private let options: PushOptions
    private let logger: Logger?
    private let signal: SendSignal
    // Behind a pointer, as Swift checks each access to a stored property of a class for overlapping ones: that took a
    // tenth of the time of a line.
    private let sender: UnsafeMutablePointer<PushSender>
    private var watch: PeerWatch?
    // Receivers that had gone away when the socket was closed.
    private var lost: UInt64 = 0
    // The input pauses, and there was no room for the open batch.
    private var isFlushing = false
    // Lines that libzmq had for a connection that it gave up.
    private var dropped: UInt64 = 0
    private var missing = GapLedger()
    // Lines that had left at the end though one before them had not.
    private var ahead: UInt64 = 0

    /// The endpoints that were bound, with the ports that were chosen.
    package let boundEndpoints: [Endpoint]

    /// Opens the socket, binds and connects it.
    ///
    /// - Parameters:
    ///   - options: Where to, and how.
    ///   - form: What lines look like, for the notes between them.
    ///   - logger: Who is told of peers that come, go, and are turned away.
    /// - Throws: ``LogTransportError``: `invalidArgument`, or `unavailable` when an endpoint cannot be bound.
    package init(
        _ options: PushOptions, form: LineForm = LineForm(), logger: Logger? = nil
    ) throws(LogTransportError) {
        guard !options.bind.isEmpty || !options.connect.isEmpty else {
            throw LogTransportError(.invalidArgument, "there is no endpoint to bind or to connect to")
        }
        guard options.batchLines >= 1 else {
            throw LogTransportError(.invalidArgument, "a batch has 1 line at least, not \(options.batchLines)")
        }
        let signal = try SendSignal()
        do throws(ZeroMQError) {
            let context = try Context()
            var socketOptions = SocketOptions()
            socketOptions.sendHighWaterMark = options.markPerPeer
            socketOptions.reconnectInterval = options.reconnectInterval
            socketOptions.curve = options.curve
            // A peer that never comes is not to get the lines that others could have.
            socketOptions.queuesForConnectedOnly = !options.hasOnePeer
            var socket = try Socket(.push, in: context, options: socketOptions)
            let redialing = Redialing(options.connect, interval: options.reconnectInterval)
            let watch = try PeerWatch(socket, in: context, redialing: redialing, logger: logger)
            var bound: [Endpoint] = []
            for endpoint in options.bind { bound.append(try socket.bind(endpoint)) }
            for endpoint in options.connect { try socket.connect(endpoint) }
            boundEndpoints = bound
            self.watch = consume watch
            sender = .allocate(capacity: 1)
            sender.initialize(
                to: PushSender(consume socket, context, options: options, form: form, signal: signal))
        } catch {
            throw LogTransportError(opening: error)
        }
        self.options = options
        self.logger = logger
        self.signal = signal
    }

    deinit {
        sender.deinitialize(count: 1)
        sender.deallocate()
    }

    package func offer(_ line: UnsafeRawBufferPointer, number: UInt64) throws(LogTransportError) -> Bool {
        try sender.pointee.offer(line, number: number)
    }

    package func offer(
        _ line: UnsafeRawBufferPointer, in envelope: inout JSONEnvelope, number: UInt64
    ) throws(LogTransportError) -> Bool {
        try sender.pointee.offer(line, in: &envelope, number: number)
    }

    package func offer(_ record: SpoolLongRecord, number: UInt64) throws(LogTransportError) -> Bool {
        try sender.pointee.offer(record, number: number)
    }

    package func flush() throws(LogTransportError) {
        isFlushing = try !sender.pointee.sendBatch()
    }

    package func advance() throws(LogTransportError) {
        signal.clear()
        do throws(ZeroMQError) {
            try sender.pointee.letGoOfLost()
            sender.pointee.reclaim()
            try watch?.advance()
            if options.hasOnePeer { sender.pointee.isHeld = watch?.peers == 0 }
            for endpoint in watch?.dueForRedialing() ?? [] { try redial(endpoint) }
        } catch {
            throw LogTransportError(sending: error)
        }
        if isFlushing { try flush() }
    }

    package func waits(forRoom: Bool) -> [Wait] {
        var waits: [Wait] = []
        if let wait = watch?.wait { waits.append(wait) }
        if let wait = sender.pointee.wait(forRoom: forRoom || isFlushing) { waits.append(wait) }
        if let wait = sender.pointee.waitForLost { waits.append(wait) }
        return waits
    }

    package var nextDeadline: ContinuousClock.Instant? { watch?.deadline }

    package var acknowledged: UInt64 { sender.pointee.acknowledged }

    package var counts: OutletCounts {
        var counts = OutletCounts()
        counts.receiversLost = watch?.lost ?? lost
        counts.ahead = ahead
        (counts.droppedOldest, counts.missing) = (dropped, missing.missing(through: acknowledged))
        return counts
    }

    package func finish(
        until deadline: ContinuousClock.Instant, end: Int32
    ) throws(LogTransportError) -> UInt64 {
        let patience = Patience(deadline: deadline, end: end)
        var isTimeLeft = true
        while isTimeLeft, try !sender.pointee.sendBatch() {
            isTimeLeft = try patience.wait(for: waits(forRoom: true), orUntil: nextDeadline)
            try advance()
        }
        while isTimeLeft, sender.pointee.acknowledged < sender.pointee.lastOffered {
            isTimeLeft = try patience.wait(for: waits(forRoom: false), orUntil: nextDeadline)
            try advance()
        }
        let (lines, ahead) = sender.pointee.countUnsent()
        self.ahead = ahead
        if isTimeLeft { isTimeLeft = try waitUntilRead(patience) }
        lost = watch?.lost ?? 0
        watch = nil
        sender.pointee.close(linger: isTimeLeft ? .seconds(1) : .zero)
        return lines
    }

    /// Begins a connection anew that libzmq has given up, and with it what it had queued for that.
    private func redial(_ endpoint: Endpoint) throws(ZeroMQError) {
        let lost = options.hasOnePeer ? sender.pointee.writeOff() : nil
        try sender.pointee.reconnect(endpoint)
        guard let lost else { return }
        dropped += lost.count
        missing.add(lost.count, through: lost.through)
        // Also when no line comes, a receiver that is there again is to know.
        isFlushing = true
        // What was lost may be a note alone.
        guard lost.count > 0 else { return }
        logger?.warning(
            "what was queued for the receiver at \(endpoint) is lost: another is there now, of another kind",
            metadata: ["lines": "\(lost.count)"])
    }

    /// Waits until nothing that libzmq has let go of is in its buffer for a connection or in the kernel.
    ///
    /// A receiver's libzmq that has stopped reading at its high-water mark forgets what is left in a Unix socket when the
    /// other side closes it.
    ///
    /// - Returns: Whether there is time left for more.
    private func waitUntilRead(_ patience: Patience) throws(LogTransportError) -> Bool {
        for connection in watch?.connections ?? [] {
            guard try patience.wait(for: [Wait(.descriptor(connection), .output)]) else { return false }
        }
        // Twice, as libzmq's thread may be about to write its buffer when the kernel's is found empty.
        var timesEmpty = 0
        while timesEmpty < 2 {
            guard try patience.pause() else { return false }
            try advance()
            timesEmpty = watch?.hasBytesUnderWay == true ? 0 : timesEmpty + 1
        }
        return true
    }
}
