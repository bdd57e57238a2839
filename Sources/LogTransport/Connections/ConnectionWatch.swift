import Logging
import ZeroMQ

/// What is known of a socket's connections, from what libzmq tells of them.
///
/// It counts the peers, warns of those that are turned away, and knows which connections have to be begun anew.
struct ConnectionWatch {
    private let logger: Logger?
    private let peerLevel: Logger.Level
    private var warned: [HandshakeFailure: ContinuousClock.Instant] = [:]
    private(set) var redialing: Redialing
    /// The descriptors of the connections; libzmq's, to be looked at only.
    private(set) var connections: Set<Int32> = []
    /// Connections whose handshake failed and whose end was not told yet.
    private var turnedAway = 0
    /// Peers that are there.
    private(set) var peers = 0
    /// Peers that went away.
    private(set) var lost: UInt64 = 0

    /// Begins without a connection.
    ///
    /// - Parameters:
    ///   - redialing: What is known of the endpoints that are connected to.
    ///   - logger: Who is told.
    ///   - peerLevel: How severe it is that a peer comes or goes.
    init(_ redialing: Redialing, logger: Logger?, peerLevel: Logger.Level) {
        self.redialing = redialing
        self.logger = logger
        self.peerLevel = peerLevel
    }

    /// Takes note of what happened.
    mutating func note(_ event: SocketEvent, now: ContinuousClock.Instant = .now) {
        redialing.note(event, now: now)
        switch event.kind {
        case .connected, .accepted:
            if let descriptor = event.descriptor { connections.insert(descriptor) }
        case .handshakeSucceeded:
            peers += 1
            logger?.log(level: peerLevel, "\(event)")
        case .disconnected: noteEnd(event, now)
        case .handshakeFailed(let failure):
            turnedAway += 1
            warn(failure, event, now)
        case .acceptFailed: logger?.warning("\(event)")
        case .connectRetried, .stopped: break
        }
    }

    /// What has to be disconnected and connected again, now.
    mutating func due(now: ContinuousClock.Instant = .now) -> [Endpoint] { redialing.due(now: now) }

    /// Tells the end of a peer's connection from that of one whose handshake failed.
    ///
    /// libzmq tells of both, and of a handshake without the connection's descriptor. There are never more connections to
    /// pass over than there are without a peer: one can fail in several ways. Of sockets that do not belong together it
    /// tells the end alone.
    private mutating func noteEnd(_ event: SocketEvent, _ now: ContinuousClock.Instant) {
        turnedAway = min(turnedAway, connections.count - peers)
        if let descriptor = event.descriptor { connections.remove(descriptor) }
        if turnedAway > 0 {
            turnedAway -= 1
        } else if peers > 0 {
            peers -= 1
            lost += 1
            logger?.log(level: peerLevel, "\(event)")
        } else {
            let event = SocketEvent(.handshakeFailed(.noGreeting), endpoint: event.endpoint)
            warn(.noGreeting, event, now)
        }
    }

    /// A peer that is turned away comes again and again: it is told once a minute.
    private mutating func warn(_ failure: HandshakeFailure, _ event: SocketEvent, _ now: ContinuousClock.Instant) {
        if let last = warned[failure], now - last < .seconds(60) { return }
        // Of the many numbers of an error there can be only so many that are of interest.
        if warned.count > 16 { warned = [:] }
        warned[failure] = now
        logger?.warning("\(event)")
    }
}
