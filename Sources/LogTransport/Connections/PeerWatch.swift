import Glibc
import Logging
import ZeroMQ

/// Keeps count of a socket's peers, and warns of those that are turned away.
struct PeerWatch: ~Copyable {
    private var monitor: SocketMonitor
    private let logger: Logger?
    private var warned: [HandshakeFailure: ContinuousClock.Instant] = [:]
    /// The descriptors of the connections; libzmq's, to be looked at only.
    private(set) var connections: Set<Int32> = []
    /// Connections whose handshake failed and whose end was not told yet.
    private var turnedAway = 0
    /// Peers that are there.
    private(set) var peers = 0
    /// Peers that went away.
    private(set) var lost: UInt64 = 0

    init(_ socket: borrowing Socket, in context: Context, logger: Logger?) throws(ZeroMQError) {
        monitor = try SocketMonitor(of: socket, in: context)
        self.logger = logger
    }

    /// What to wait on, for `poll`.
    var pollItem: PollItem { monitor.pollItem }

    /// What to wait on.
    var wait: Wait { Wait(.socket(monitor.handle), .input) }

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
        while let event = try monitor.next() {
            switch event.kind {
            case .connected, .accepted:
                if let descriptor = event.descriptor { connections.insert(descriptor) }
            case .handshakeSucceeded:
                peers += 1
                logger?.info("\(event)")
            case .disconnected: noteEnd(event)
            case .handshakeFailed(let failure):
                turnedAway += 1
                warn(failure, event)
            case .acceptFailed: logger?.warning("\(event)")
            case .stopped: break
            }
        }
    }

    /// Tells the end of a peer's connection from that of one whose handshake failed.
    ///
    /// libzmq tells of both, and of a handshake without the connection's descriptor. There are never more connections to
    /// pass over than there are without a peer: one can fail in several ways.
    private mutating func noteEnd(_ event: SocketEvent) {
        turnedAway = min(turnedAway, connections.count - peers)
        if let descriptor = event.descriptor { connections.remove(descriptor) }
        if turnedAway > 0 {
            turnedAway -= 1
        } else if peers > 0 {
            peers -= 1
            lost += 1
            logger?.info("\(event)")
        }
    }

    /// A peer that is turned away comes again and again: it is told once a minute.
    private mutating func warn(_ failure: HandshakeFailure, _ event: SocketEvent) {
        let now = ContinuousClock.now
        if let last = warned[failure], now - last < .seconds(60) { return }
        // Of the many numbers of an error there can be only so many that are of interest.
        if warned.count > 16 { warned = [:] }
        warned[failure] = now
        logger?.warning("\(event)")
    }
}
