/// How a socket queues, connects and protects its messages (zmq_setsockopt(3)).
///
/// Nothing here is unlimited: libzmq's "0 means no limit" cannot be said.
public struct SocketOptions: Sendable {
    /// Messages that wait for one peer at most before the socket has no room for it; 1 or more (`ZMQ_SNDHWM`).
    public var sendHighWaterMark = 1000
    /// Messages that came from one peer and wait to be received; 1 or more (`ZMQ_RCVHWM`).
    public var receiveHighWaterMark = 1000
    /// How long messages that were sent are kept for their peers after the socket was closed (`ZMQ_LINGER`).
    ///
    /// In milliseconds, at most 24 days.
    public var linger: Duration = .zero
    /// How long to wait before a lost or refused connection is tried again (`ZMQ_RECONNECT_IVL`); 1 ms or more.
    public var reconnectInterval: Duration = .milliseconds(100)
    /// The wait doubles up to this, where it is longer than ``reconnectInterval`` (`ZMQ_RECONNECT_IVL_MAX`).
    public var reconnectMaximum: Duration?
    /// How long to wait for a peer to accept a connection; nil leaves it to the operating system (`ZMQ_CONNECT_TIMEOUT`).
    public var connectTimeout: Duration?
    /// Whether messages queue only for peers that are connected.
    ///
    /// What is queued is then lost with the connection; else it waits for the peer to return (`ZMQ_IMMEDIATE`).
    public var queuesForConnectedOnly = false
    /// Whether a ROUTER refuses a message for a peer that it does not know, or that has no room; else it drops it.
    public var routerMandatory = true
    /// Whether a PUB or XPUB socket has no room for a message that one of its peers has no room for; else it drops the
    /// message for that peer alone (`ZMQ_XPUB_NODROP`).
    public var publishesToAllOrNone = false
    /// What the peer's ROUTER socket is to call this one: 1 to 255 bytes, the first not zero (`ZMQ_ROUTING_ID`).
    public var routingID: [UInt8]?
    /// Whether an empty message goes out on each new connection, so that a ROUTER peer knows of it at once
    /// (`ZMQ_PROBE_ROUTER`).
    public var probesRouter = false
    /// A peer that sends a longer message is disconnected; in bytes (`ZMQ_MAXMSGSIZE`).
    public var maximumMessageSize: Int?
    /// How long a new connection may take to greet and authenticate (`ZMQ_HANDSHAKE_IVL`); 1 ms or more.
    public var handshakeTimeout: Duration = .seconds(30)
    /// How often to ask an idle peer for a sign of life, which disconnects one that gives none for as long (ZMTP's PING,
    /// `ZMQ_HEARTBEAT_IVL`).
    public var heartbeatInterval: Duration?
    /// Whether TCP looks after idle connections, and how; nil leaves it to the operating system.
    public var keepalive: Keepalive?
    /// Whether names are resolved to IPv6 addresses too (`ZMQ_IPV6`); IPv6 addresses in brackets always work.
    public var ipv6 = false
    /// Who this socket is, and who may talk to it; nil for connections that are neither authenticated nor encrypted.
    public var curve: Curve?

    /// When TCP takes an idle peer for dead (`ZMQ_TCP_KEEPALIVE`, tcp(7)).
    public struct Keepalive: Sendable {
        /// After how much silence the first probe goes out; whole seconds.
        public var idle: Duration
        /// The time between two probes; whole seconds.
        public var interval: Duration
        /// Probes without an answer that end the connection.
        public var count: Int

        /// Probes after `idle`, every `interval`, `count` times.
        public init(idle: Duration = .seconds(60), interval: Duration = .seconds(10), count: Int = 3) {
            self.idle = idle
            self.interval = interval
            self.count = count
        }
    }

    /// libzmq's own values where they are bounded, and a linger of nothing.
    public init() {}
}
