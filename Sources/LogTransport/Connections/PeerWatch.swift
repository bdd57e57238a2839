import Glibc
import Logging
import ZeroMQ

/// Watches the connections of a socket that pushes or pulls.
struct PeerWatch: ~Copyable {
    private var monitor: SocketMonitor
    private var watch: ConnectionWatch

    /// Watches `socket`, from now on.
    ///
    /// - Parameters:
    ///   - socket: The socket, before it is bound or connected.
    ///   - context: The socket's context.
    ///   - redialing: What is known of the endpoints that it will be connected to.
    ///   - logger: Who is told of peers that come, go, and are turned away.
    /// - Throws: ``ZeroMQError`` when there are no sockets left.
    init(
        _ socket: borrowing Socket, in context: Context, redialing: Redialing = Redialing([], interval: .zero),
        logger: Logger?
    ) throws(ZeroMQError) {
        monitor = try SocketMonitor(of: socket, in: context)
        watch = ConnectionWatch(redialing, logger: logger, peerLevel: .info)
    }

    /// The descriptors of the connections; libzmq's, to be looked at only.
    var connections: Set<Int32> { watch.connections }

    /// Peers that are there.
    var peers: Int { watch.peers }

    /// Peers that went away.
    var lost: UInt64 { watch.lost }

    /// What to wait on, for `poll`.
    var pollItem: PollItem { monitor.pollItem }

    /// What to wait on.
    var wait: Wait { Wait(.socket(monitor.handle), .input) }

    /// When ``dueForRedialing()`` is to be asked.
    var deadline: ContinuousClock.Instant? { watch.redialing.deadline }

    /// Whether the kernel holds bytes that a peer has not read from its Unix socket, or not acknowledged over TCP.
    var hasBytesUnderWay: Bool {
        connections.contains { connection in
            // SIOCOUTQ of unix(7) and tcp(7), which is the same number.
            var waiting: Int32 = 0
            return ioctl(connection, UInt(TIOCOUTQ), &waiting) == 0 && waiting > 0
        }
    }

    /// Takes in what happened.
    mutating func advance() throws(ZeroMQError) {
        while let event = try monitor.next() { watch.note(event) }
    }

    /// The endpoints whose connections libzmq has given up.
    mutating func dueForRedialing() -> [Endpoint] { watch.due() }
}
