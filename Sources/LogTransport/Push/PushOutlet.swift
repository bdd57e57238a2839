import Glibc
package import Logging
package import ZeroMQ

/// Hands lines on over a PUSH socket.
///
/// Each line is copied once, into a block of many; libzmq sends from there and tells when it has let go of it. So it is
/// known at each moment what libzmq has, in lines and in bytes, which is what bounds the memory and what is counted as left
/// over at the end.
package final class PushOutlet: Outlet {
    private enum Shortage {
        /// No peer has room, or there is none.
        case peer
        /// The lines that wait for peers take all the memory that they may.
        case memory
    }

    private let options: PushOptions
    private let signal: SendSignal
    private var context: Context?
    private var socket: Socket?
    private var watch: PeerWatch?
    private var message = Message()
    private var ledger = SendLedger()
    private var open: OpenBlock?
    private var batch: BatchBuilder?
    private var lastOffered: UInt64 = 0
    private var shortage = Shortage.peer
    private var mark: Int

    /// The endpoints that were bound, with the ports that were chosen.
    package private(set) var boundEndpoints: [Endpoint] = []

    /// Opens the socket, binds and connects it.
    ///
    /// - Parameters:
    ///   - options: Where to, and how.
    ///   - logger: Who is told of peers that come, go, and are turned away.
    /// - Throws: ``LogTransportError``: `invalidArgument`, or `unavailable` when an endpoint cannot be bound.
    package init(_ options: PushOptions, logger: Logger? = nil) throws(LogTransportError) {
        self.options = options
        signal = try SendSignal()
        mark = options.highWaterMark
        if options.batchLines > 1 { batch = BatchBuilder(maximumLines: options.batchLines) }
        guard !options.bind.isEmpty || !options.connect.isEmpty else {
            throw LogTransportError(.invalidArgument, "there is no endpoint to bind or to connect to")
        }
        do throws(ZeroMQError) {
            let context = try Context()
            var socketOptions = SocketOptions()
            socketOptions.sendHighWaterMark = options.highWaterMark
            socketOptions.reconnectInterval = options.reconnectInterval
            socketOptions.curve = options.curve
            var socket = try Socket(.push, in: context, options: socketOptions)
            watch = try PeerWatch(socket, in: context, logger: logger)
            for endpoint in options.bind { boundEndpoints.append(try socket.bind(endpoint)) }
            for endpoint in options.connect { try socket.connect(endpoint) }
            self.socket = consume socket
            self.context = context
        } catch {
            throw LogTransportError(opening: error)
        }
    }

    package func offer(_ line: UnsafeRawBufferPointer, number: UInt64) throws(LogTransportError) -> Bool {
        guard batch == nil else { return try pack(line, number: number) }
        guard try push(line, lastNumber: number) else { return false }
        lastOffered = number
        return true
    }

    package func flush() throws(LogTransportError) {
        _ = try sendBatch()
    }

    package func advance() throws(LogTransportError) {
        signal.clear()
        ledger.reclaim()
        do throws(ZeroMQError) {
            if try watch?.advance() == true { try adaptHighWaterMark() }
        } catch {
            throw LogTransportError(sending: error)
        }
    }

    package func waits(forRoom: Bool) -> [Wait] {
        var waits: [Wait] = []
        if let wait = watch?.wait { waits.append(wait) }
        if forRoom, shortage == .peer, let handle = socket?.handle { waits.append(Wait(.socket(handle), .output)) }
        if forRoom ? shortage == .memory : acknowledged < lastOffered {
            awaitRelease()
            waits.append(Wait(.descriptor(signal.descriptor), .input))
        }
        return waits
    }

    package var nextDeadline: ContinuousClock.Instant? { nil }

    package var acknowledged: UInt64 {
        guard ledger.isEmpty else { return ledger.acknowledged }
        guard batch?.isEmpty ?? true, open?.isReleased ?? true else { return ledger.acknowledged }
        return lastOffered
    }

    package var counts: OutletCounts {
        var counts = OutletCounts()
        counts.receiversLost = watch?.lost ?? 0
        return counts
    }

    package func finish(
        until deadline: ContinuousClock.Instant, end: Int32
    ) throws(LogTransportError) -> UInt64 {
        let patience = Patience(deadline: deadline, end: end)
        var isTimeLeft = true
        while isTimeLeft, try !sendBatch() { isTimeLeft = try patience.wait(for: waits(forRoom: true)) }
        sealOpenBlock()
        ledger.reclaim()
        while isTimeLeft && !ledger.isEmpty {
            awaitRelease()
            isTimeLeft = try patience.wait(for: [Wait(.descriptor(signal.descriptor), .input)])
            try advance()
        }
        let lines = ledger.lines + UInt64(batch?.count ?? 0)
        // What libzmq has let go of may still be in its buffer for a connection, until the kernel has room for it.
        for connection in watch?.connections ?? [] where isTimeLeft {
            isTimeLeft = try patience.wait(for: [Wait(.descriptor(connection), .output)])
        }
        close(linger: isTimeLeft ? .seconds(1) : .zero)
        return lines
    }

    /// Closes the socket, and waits for libzmq's threads to end.
    private func close(linger: Duration) {
        try? socket?.setLinger(linger)
        socket = nil
        watch = nil
        context = nil
    }
}

extension PushOutlet {
    /// Copies a message to the open block, and sends it from there.
    @inline(__always)
    private func push(_ bytes: UnsafeRawBufferPointer, lastNumber: UInt64) throws(LogTransportError) -> Bool {
        if open?.hasRoom(for: bytes.count) != true {
            guard try openBlock(for: bytes.count) else {
                shortage = .memory
                return false
            }
        }
        guard let place = open?.place(bytes), try send(place, hint: open?.hint) else {
            open?.takeBack()
            shortage = .peer
            return false
        }
        open?.keep(bytes.count, lastNumber: lastNumber)
        return true
    }

    /// Sends a message that is in a block; when it is not taken, it is released.
    @inline(__always)
    private func send(
        _ bytes: UnsafeRawBufferPointer, hint: UnsafeMutableRawPointer?
    ) throws(LogTransportError) -> Bool {
        do throws(ZeroMQError) {
            try message.adopt(bytes, hint: hint, release: SendBlock.release)
            if options.sendsEmptyTopic {
                guard try socket?.send(UnsafeRawBufferPointer(start: nil, count: 0), more: true, wait: false) == true
                else {
                    message.clear()
                    return false
                }
            }
            if try socket?.send(&message, wait: false) == true { return true }
            message.clear()
            return false
        } catch {
            throw LogTransportError(sending: error)
        }
    }

    private func openBlock(for count: Int) throws(LogTransportError) -> Bool {
        sealOpenBlock()
        guard ledger.hasRoom(for: count) else { return false }
        open = OpenBlock(try ledger.block(for: count, signal: signal))
        return true
    }

    private func sealOpenBlock() {
        guard let sealed = open?.seal() else { return }
        open = nil
        ledger.append(sealed)
    }

    private func pack(_ line: UnsafeRawBufferPointer, number: UInt64) throws(LogTransportError) -> Bool {
        if batch?.add(line) != true {
            guard try sendBatch() else { return false }
            _ = batch?.add(line)
        }
        lastOffered = number
        return true
    }

    /// Sends the lines that were packed.
    ///
    /// - Returns: Whether none is left.
    private func sendBatch() throws(LogTransportError) -> Bool {
        guard let lines = batch?.count, lines > 0, let bytes = batch?.message() else { return true }
        guard try push(bytes, lastNumber: lastOffered) else { return false }
        open?.note(lines: lines)
        batch?.removeAll()
        return true
    }

    /// Sees to it that the signal is given as soon as lines leave that have not left yet.
    private func awaitRelease() {
        signal.await()
        open?.notifyWhenReleased()
        // What was released in the meantime gave no signal.
        let before = ledger.acknowledged
        ledger.reclaim()
        if ledger.acknowledged != before || acknowledged == lastOffered { signal.notify() }
    }

    /// With several receivers, one that stops reading is to keep no more than half of the memory from the others.
    private func adaptHighWaterMark() throws(ZeroMQError) {
        let peers = max(options.connect.count, watch?.peers ?? 0)
        // The messages of one lie between those of the others, in the same blocks.
        let share = peers > 1 ? SendLedger.limit / (2 * peers * ledger.meanCost) : options.highWaterMark
        let wanted = min(max(share, 1), options.highWaterMark)
        guard wanted != mark else { return }
        try socket?.setSendHighWaterMark(wanted)
        mark = wanted
    }
}
