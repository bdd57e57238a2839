internal import Glibc
package import Logging
package import Spool
package import ZeroMQ

/// Hands lines on so that none is lost: a sender of the reliable protocol, docs/wire.md.
package final class ReliableOutlet: Outlet {
    /// What is taken from one socket before others have their turn.
    private static let messagesAtOnce = 1000

    private let logger: Logger
    private var context: Context?
    private var sockets: [ReliableSocket] = []
    private var machine: SenderMachine
    private var builder: BatchBuilder
    /// The number of the first line of the open batch, and of the line that would come after its last.
    private var first: UInt64 = 0
    private var next: UInt64 = 0
    private var bodies: [UInt64: BatchBody] = [:]
    private var isFlushWanted = false
    /// The endpoints that were bound, with the ports that were chosen.
    package private(set) var endpoints: [Endpoint] = []

    /// Binds and connects.
    ///
    /// - Parameters:
    ///   - options: Where, and how much is packed and kept.
    ///   - logger: Told of receivers that come and go, and of connections that fail.
    /// - Throws: ``LogTransportError``: `invalidArgument`, or `unavailable` when an endpoint cannot be bound.
    package init(_ options: ReliableOutletOptions, logger: Logger) throws(LogTransportError) {
        self.logger = logger
        builder = BatchBuilder(maximumLines: options.batchLines, maximumBytes: options.batchBytes)
        let firstDialed = options.binds.isEmpty ? 0 : 1
        machine = SenderMachine(
            sender: options.sender, dialed: options.connects.indices.map { PeerAddress(socket: firstDialed + $0) },
            times: options.times, now: .now)
        do throws(ZeroMQError) {
            try open(options)
        } catch {
            throw LogTransportError(opening: error)
        }
        try advance()
    }

    private func open(_ options: ReliableOutletOptions) throws(ZeroMQError) {
        let context = try Context()
        self.context = context
        var settings = SocketOptions()
        settings.curve = options.curve
        settings.reconnectInterval = options.reconnectInterval
        // Receivers have little to say.
        settings.maximumMessageSize = 4096
        settings.linger = .milliseconds(500)
        let places =
            (options.binds.isEmpty ? [] : [.bound(options.binds)])
            + options.connects.map(ReliableSocket.Place.connected)
        for place in places {
            let socket = try ReliableSocket(place, index: sockets.count, in: context, options: settings, logger: logger)
            sockets.append(socket)
            endpoints += socket.endpoints
        }
    }

    /// How many receivers there are.
    package var receivers: Int { machine.receivers }

    package var acknowledged: UInt64 {
        // An acknowledged window says nothing of what is not in it yet.
        builder.isEmpty ? machine.acknowledged : min(machine.acknowledged, first - 1)
    }

    package var counts: OutletCounts { machine.counts }

    package var nextDeadline: ContinuousClock.Instant? {
        ([machine.nextDeadline] + sockets.map(\.deadline)).compactMap(\.self).min()
    }

    package func offer(_ line: UnsafeRawBufferPointer, number: UInt64) throws(LogTransportError) -> Bool {
        if !builder.isEmpty {
            if number == next, builder.add(line) {
                next &+= 1
                return true
            }
            guard try closeBatch() else { return false }
        }
        // Memory is given to a new batch only if it can go to the window as it is.
        guard machine.hasRoom(for: line.count + BatchFraming.overheadPerBatch + BatchFraming.overheadPerLine),
            builder.add(line)
        else { return false }
        (first, next) = (number, number &+ 1)
        return true
    }

    package func offer(
        _ line: UnsafeRawBufferPointer, in envelope: inout JSONEnvelope, number: UInt64
    ) throws(LogTransportError) -> Bool {
        try offerLong(envelope.size(of: line), number: number) { envelope.write(line, to: $0) }
    }

    package func offer(_ record: SpoolLongRecord, number: UInt64) throws(LogTransportError) -> Bool {
        try offerLong(record.count, number: number) { target throws(LogTransportError) in try record.read(to: target) }
    }

    /// Has a long line written into a batch of its own, if there is room for that.
    private func offerLong(
        _ size: Int, number: UInt64, _ write: (UnsafeMutableRawPointer) throws(LogTransportError) -> Void
    ) throws(LogTransportError) -> Bool {
        if !builder.isEmpty, try !closeBatch() { return false }
        guard machine.hasRoom(for: size + BatchFraming.overheadPerBatch + BatchFraming.overheadPerLine) else {
            return false
        }
        try builder.add(count: size, write)
        (first, next) = (number, number &+ 1)
        return true
    }

    package func flush() throws(LogTransportError) {
        isFlushWanted = false
        guard !builder.isEmpty else { return }
        isFlushWanted = try !closeBatch()
    }

    package func advance() throws(LogTransportError) {
        try reaching { () throws(ZeroMQError) in
            for socket in sockets {
                try takeIn(from: socket)
                try noteChanges(of: socket)
            }
            if let deadline = machine.nextDeadline {
                let now = ContinuousClock.now
                if deadline <= now { try perform(machine.tick(now: now)) }
            }
        }
        if isFlushWanted { try flush() }
    }

    package func waits(forRoom: Bool) -> [Wait] {
        sockets.flatMap { $0.handles.map { Wait(.socket($0), .input) } }
    }

    package func finish(until deadline: ContinuousClock.Instant, end: Int32) throws(LogTransportError) -> UInt64 {
        try flush()
        var items = [PollItem(descriptor: end, .input)]
        for handle in sockets.flatMap(\.handles) { items.append(PollItem(socketHandle: handle, .input)) }
        while left > 0 {
            let now = ContinuousClock.now
            guard now < deadline, !items[0].ready.contains(.input) else { break }
            let timeout = max(.zero, min(deadline, nextDeadline ?? deadline) - now)
            try reaching { () throws(ZeroMQError) in try poll(&items, timeout: timeout) }
            try advance()
        }
        try reaching { () throws(ZeroMQError) in
            try perform(machine.finish())
            if items[0].ready.contains(.input) { for socket in sockets { try socket.setLinger(.zero) } }
        }
        let left = left
        close()
        return left
    }

    /// Lines that are not acknowledged, those of the open batch included.
    private var left: UInt64 { machine.unacknowledged + UInt64(builder.count) }

    private func close() {
        sockets = []
        bodies = [:]
        // The last reference: it waits until what was said at the end has left.
        context = nil
    }

    /// Moves the open batch to the window; `false` when there is no room for it.
    private func closeBatch() throws(LogTransportError) -> Bool {
        guard machine.hasRoom(for: builder.byteCount) else { return false }
        let (lines, bytes) = (UInt32(builder.count), builder.byteCount)
        bodies[first] = BatchBody(taking: builder.take())
        try reaching { () throws(ZeroMQError) in
            try perform(machine.append(first: first, lines: lines, bytes: bytes, now: .now))
        }
        return true
    }

    private func reaching(_ body: () throws(ZeroMQError) -> Void) throws(LogTransportError) {
        do throws(ZeroMQError) {
            try body()
        } catch {
            throw LogTransportError(.systemError, "receivers cannot be reached any more", cause: error)
        }
    }

    private func takeIn(from socket: ReliableSocket) throws(ZeroMQError) {
        for _ in 0..<Self.messagesAtOnce {
            switch try socket.receive() {
            case nil: return
            case .message(let message, let peer):
                try perform(machine.received(message, from: peer, now: .now))
            case .messageWithBody, .garbage: machine.receivedGarbage()
            }
        }
    }

    private func noteChanges(of socket: ReliableSocket) throws(ZeroMQError) {
        while let change = try socket.nextChange() {
            switch change {
            case .connected(let peer): try perform(machine.connected(peer, now: .now))
            case .disconnected(let peer):
                // What it said last may be an acknowledgement.
                try takeIn(from: socket)
                try perform(machine.sendFailed(to: peer, now: .now))
            case .ended: machine.connectionEnded(now: .now)
            case .other: break
            }
        }
        try socket.redial()
    }

    private func perform(_ actions: [SenderMachine.Action]) throws(ZeroMQError) {
        var pending = actions
        var index = 0
        while index < pending.count {
            switch pending[index] {
            case .send(let message, let peer):
                if try !sockets[peer.socket].send(message, to: peer) { pending += try giveUp(peer) }
            case .sendBatch(let message, let first, let peer):
                guard let body = bodies[first] else { break }
                if try !sockets[peer.socket].send(message, body: body, to: peer) { pending += try giveUp(peer) }
            case .release(let first): bodies[first] = nil
            case .note(let peer, let note): log(note, peer)
            }
            index += 1
        }
    }

    /// Has the machine do without a receiver to which nothing can be sent.
    ///
    /// What it said before it went away may be here still: that it left, and what it has processed, which is then not sent
    /// to another.
    private func giveUp(_ peer: PeerAddress) throws(ZeroMQError) -> [SenderMachine.Action] {
        var actions: [SenderMachine.Action] = []
        for _ in 0..<Self.messagesAtOnce {
            switch try sockets[peer.socket].receive() {
            case nil: return actions + machine.sendFailed(to: peer, now: .now)
            case .message(let message, let peer): actions += machine.received(message, from: peer, now: .now)
            case .messageWithBody, .garbage: machine.receivedGarbage()
            }
        }
        return actions + machine.sendFailed(to: peer, now: .now)
    }

    private func log(_ note: SenderMachine.Note, _ peer: PeerAddress) {
        let isExpected = note == .joined || note == .left
        logger.log(
            level: isExpected ? .info : .warning, "\(note.rawValue)",
            metadata: ["receiver": "\(peer.logName)", "receivers": "\(machine.receivers)"])
    }
}
