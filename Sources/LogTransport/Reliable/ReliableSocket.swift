internal import Logging
internal import ZeroMQ

/// A socket of the reliable protocol, a ROUTER that is bound or a DEALER that is connected; belongs to one thread.
final class ReliableSocket {
    /// Whether it is bound or connected, and where.
    enum Place {
        case bound([Endpoint])
        case connected(Endpoint)
    }

    /// What came in.
    enum Incoming {
        case message(WireMessage, from: PeerAddress)
        /// A message with a second frame, which is in ``ReliableSocket/takeBody()``.
        case messageWithBody(WireMessage, from: PeerAddress)
        case garbage
    }

    /// What happened to a connection.
    enum Change {
        /// The peer behind a DEALER is there.
        case connected(PeerAddress)
        /// It is gone.
        case disconnected(PeerAddress)
        /// One of the peers of a ROUTER is gone.
        case ended
        /// Something else.
        case other
    }

    private let index: Int
    private let isRouter: Bool
    private var socket: Socket
    private var monitor: SocketMonitor
    private var watch: ConnectionWatch
    private var frame = Message()
    private var body = Message()
    /// Whether the peer behind a DEALER is there.
    private var isConnected = false
    /// The endpoints that were bound, with the ports that were chosen.
    private(set) var endpoints: [Endpoint] = []

    /// Opens a socket.
    ///
    /// - Parameters:
    ///   - place: Where it is bound or connected.
    ///   - index: Its number in ``PeerAddress``.
    ///   - context: Whose threads carry the messages.
    ///   - options: High-water marks, the largest message, CURVE.
    ///   - logger: Who is told of peers that are turned away.
    /// - Throws: ``ZeroMQError``.
    init(
        _ place: Place, index: Int, in context: Context, options: SocketOptions, logger: Logger
    ) throws(ZeroMQError) {
        self.index = index
        var options = options
        // Else a DEALER forgets what the peer said last, before it went away.
        options.queuesForConnectedOnly = false
        options.routerMandatory = true
        switch place {
        case .bound(let wanted):
            isRouter = true
            socket = try Socket(.router, in: context, options: options)
            watch = ConnectionWatch(Redialing([], interval: .zero), logger: logger, peerLevel: .debug)
            monitor = try SocketMonitor(of: socket, in: context)
            for endpoint in wanted { endpoints.append(try socket.bind(endpoint)) }
        case .connected(let endpoint):
            isRouter = false
            socket = try Socket(.dealer, in: context, options: options)
            let redialing = Redialing([endpoint], interval: options.reconnectInterval)
            watch = ConnectionWatch(redialing, logger: logger, peerLevel: .debug)
            monitor = try SocketMonitor(of: socket, in: context)
            try socket.connect(endpoint)
        }
    }

    /// What to wait on: messages, and what happens to connections.
    var handles: [UnsafeMutableRawPointer] { [socket.handle, monitor.handle] }

    /// Sends a message; does not wait.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - body: The second frame of a batch.
    ///   - peer: A peer of this socket.
    /// - Returns: Whether it was taken: not when the peer is not there, or has not read for very long.
    /// - Throws: ``ZeroMQError`` when the socket is of no use any more.
    func send(_ message: WireMessage, body: BatchBody? = nil, to peer: PeerAddress) throws(ZeroMQError) -> Bool {
        do throws(ZeroMQError) {
            if !isRouter {
                guard isConnected else { return false }
            } else {
                guard try socket.send(peer.routingID, more: true, wait: false) else { return false }
            }
            guard let body else { return try socket.send(message.bytes, wait: false) }
            guard try socket.send(message.bytes, more: true, wait: false) else { return false }
            var second = Message()
            try body.lend(to: &second)
            return try socket.send(&second, wait: false)
        } catch  where error.code == .unreachable {
            return false
        }
    }

    /// Receives a message; does not wait.
    ///
    /// - Returns: What came in; nil when there is nothing.
    /// - Throws: ``ZeroMQError`` when the socket is of no use any more.
    func receive() throws(ZeroMQError) -> Incoming? {
        guard try socket.receive(into: &frame, wait: false) else { return nil }
        var peer = PeerAddress(socket: index)
        if isRouter {
            peer = PeerAddress(socket: index, routingID: frame.bytes)
            // All frames of a message arrive together (zmq_msg_recv(3)).
            guard frame.hasMore, try socket.receive(into: &frame, wait: false) else { return .garbage }
        }
        guard let message = frame.withUnsafeBytes({ WireMessage($0) }) else { return try dropRest(frame.hasMore) }
        guard frame.hasMore else {
            if case .batch = message { return .garbage }
            return .message(message, from: peer)
        }
        guard try socket.receive(into: &body, wait: false), case .batch = message, !body.hasMore else {
            return try dropRest(body.hasMore)
        }
        return .messageWithBody(message, from: peer)
    }

    /// The second frame of the message that was received last.
    func takeBody() -> Message {
        var taken = Message()
        swap(&taken, &body)
        return taken
    }

    /// The next thing that happened to a connection, which is told to the log as well; nil when there is none.
    ///
    /// Receive what has come after it was told that a peer is gone, and only then give up what the peer had.
    func nextChange() throws(ZeroMQError) -> Change? {
        guard let event = try monitor.next() else { return nil }
        watch.note(event)
        switch event.kind {
        case .disconnected where isRouter: return .ended
        case _ where isRouter: return .other
        case .handshakeSucceeded:
            isConnected = true
            return .connected(PeerAddress(socket: index))
        case .disconnected:
            isConnected = false
            return .disconnected(PeerAddress(socket: index))
        default: return .other
        }
    }

    /// When ``redial()`` is to be called.
    var deadline: ContinuousClock.Instant? { watch.redialing.deadline }

    /// Begins a connection anew that libzmq has given up.
    func redial() throws(ZeroMQError) {
        for endpoint in watch.due() { try socket.reconnect(endpoint) }
    }

    func setLinger(_ linger: Duration) throws(ZeroMQError) { try socket.setLinger(linger) }

    private func dropRest(_ isMore: Bool) throws(ZeroMQError) -> Incoming {
        var isMore = isMore
        while isMore, try socket.receive(into: &body, wait: false) { isMore = body.hasMore }
        return .garbage
    }
}
