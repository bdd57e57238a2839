internal import Logging
internal import ZeroMQ

/// What the thread of a ``ReliableInlet`` does.
final class ReliableInletLoop {
    /// What is taken from one socket before the others, and what was processed, have their turn.
    private static let messagesAtOnce = 100

    private let queue: ReliableQueue
    private let wake: EventDescriptor
    private let linger: Duration
    private let context: Context
    private var sockets: [ReliableSocket] = []
    private var machine: ReceiverMachine
    private var garbage: UInt64 = 0
    /// The batch that has just come, for the machine to say what is to become of it.
    private var incoming: ReliableBatch?

    init(
        _ options: ReliableInletOptions, queue: ReliableQueue, wake: EventDescriptor, logger: Logger
    ) throws(LogTransportError) {
        self.queue = queue
        self.wake = wake
        linger = options.linger
        var limits = ReceiverMachine.Limits()
        limits.windowBytes = UInt32(clamping: max(1, options.windowBytes))
        let firstDialed = options.binds.isEmpty ? 0 : 1
        machine = ReceiverMachine(
            dialed: options.connects.indices.map { PeerAddress(socket: firstDialed + $0) }, limits: limits,
            times: options.times)
        var settings = SocketOptions()
        settings.curve = options.curve
        settings.reconnectInterval = options.reconnectInterval
        settings.maximumMessageSize = options.maximumBatch
        settings.linger = options.linger
        let places =
            (options.binds.isEmpty ? [] : [.bound(options.binds)])
            + options.connects.map(ReliableSocket.Place.connected)
        do throws(ZeroMQError) {
            context = try Context()
            for place in places {
                let index = sockets.count
                sockets.append(
                    try ReliableSocket(place, index: index, in: context, options: settings, logger: logger))
            }
        } catch {
            throw LogTransportError(opening: error)
        }
    }

    var endpoints: [Endpoint] { sockets.flatMap(\.endpoints) }

    /// Receives until the queue is closed.
    func run() throws(LogTransportError) {
        do throws(ZeroMQError) {
            var items = [PollItem(descriptor: wake.number, .input)]
            for handle in sockets.flatMap(\.handles) { items.append(PollItem(socketHandle: handle, .input)) }
            while try !step() {
                let deadline = ([machine.nextDeadline] + sockets.map(\.deadline)).compactMap(\.self).min()
                let timeout = deadline.map { max(.zero, $0 - .now) }
                try poll(&items, timeout: timeout)
            }
        } catch {
            throw LogTransportError(.systemError, "senders cannot be reached any more", cause: error)
        }
    }

    /// Does what there is to do; returns whether that was the last.
    private func step() throws(ZeroMQError) -> Bool {
        let (progress, isClosed) = queue.takeProgress()
        machine.isFull = queue.isFull
        for (session, progress) in progress { machine.processed(progress, in: session) }
        if isClosed {
            try perform(machine.finish(now: .now))
            return true
        }
        if !progress.isEmpty { try perform(machine.acknowledgements(now: .now)) }
        for socket in sockets {
            try takeIn(from: socket)
            try noteChanges(of: socket)
        }
        if machine.garbage != garbage {
            garbage = machine.garbage
            queue.noteGarbage(garbage)
        }
        let now = ContinuousClock.now
        if let deadline = machine.nextDeadline, deadline <= now { try perform(machine.tick(now: now)) }
        return false
    }

    private func takeIn(from socket: ReliableSocket) throws(ZeroMQError) {
        for _ in 0..<Self.messagesAtOnce {
            switch try socket.receive() {
            case nil: return
            case .garbage: machine.receivedGarbage()
            case .message(let message, let peer):
                try perform(machine.received(message, from: peer, now: .now))
            case .messageWithBody(.batch(let session, let header), let peer):
                let key = ReceiverMachine.SessionKey(peer: peer, number: session)
                incoming = try? ReliableBatch(session: key, header: header, body: socket.takeBody())
                try perform(
                    machine.received(
                        .batch(session, header), batch: incoming.map { ($0.size, $0.count) }, from: peer, now: .now))
                incoming = nil
            case .messageWithBody: machine.receivedGarbage()
            }
        }
    }

    private func noteChanges(of socket: ReliableSocket) throws(ZeroMQError) {
        while let change = try socket.nextChange() {
            switch change {
            case .connected(let peer): try perform(machine.connected(peer, now: .now))
            case .disconnected(let peer):
                try takeIn(from: socket)
                try perform(machine.disconnected(peer))
            case .ended, .other: break
            }
        }
        try socket.redial()
    }

    private func perform(_ actions: [ReceiverMachine.Action]) throws(ZeroMQError) {
        for action in actions {
            switch action {
            case .send(let message, let peer):
                // What cannot be sent now is said again by the clock.
                _ = try sockets[peer.socket].send(message, to: peer)
            case .deliver:
                if let batch = incoming.take() { queue.append(batch) }
                machine.isFull = queue.isFull
            case .discard(let session): queue.discard(session)
            case .keep(let session):
                queue.keep(session)
                machine.isFull = queue.isFull
            }
        }
    }
}
