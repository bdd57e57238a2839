import CZeroMQ

/// libzmq's handle of a socket, closed with its owner, and the socket's options as libzmq takes them.
struct SocketHandle: ~Copyable {
    let pointer: UnsafeMutableRawPointer
    // Released after the socket was closed, as the end of a context waits for its sockets.
    private let context: Context?

    /// Opens a socket with libzmq's own options.
    ///
    /// - Parameters:
    ///   - kind: What it does with its messages.
    ///   - context: Whose threads carry the messages.
    /// - Throws: ``ZeroMQError`` when there are no sockets or descriptors left.
    init(_ kind: SocketKind, in context: Context) throws(ZeroMQError) {
        pointer = try Self.open(kind, in: context.handle)
        self.context = context
    }

    /// Opens a socket that its context has for itself, and that does not keep the context.
    ///
    /// - Parameters:
    ///   - kind: What it does with its messages.
    ///   - context: libzmq's handle of the context.
    /// - Throws: ``ZeroMQError`` when there are no sockets or descriptors left.
    init(_ kind: SocketKind, inHandle context: UnsafeMutableRawPointer) throws(ZeroMQError) {
        pointer = try Self.open(kind, in: context)
        self.context = nil
    }

    private static func open(
        _ kind: SocketKind, in context: UnsafeMutableRawPointer
    ) throws(ZeroMQError) -> UnsafeMutableRawPointer {
        guard let pointer = zmq_socket(context, kind.number) else {
            throw ZeroMQError(zmq_errno(), "no socket could be opened")
        }
        return pointer
    }

    deinit { zmq_close(pointer) }

    func set(_ options: SocketOptions, of kind: SocketKind) throws(ZeroMQError) {
        try set(ZMQ_SNDHWM, Self.count(options.sendHighWaterMark, "a high-water mark"), "the high-water mark")
        try set(ZMQ_RCVHWM, Self.count(options.receiveHighWaterMark, "a high-water mark"), "the high-water mark")
        try set(ZMQ_LINGER, options.linger.milliseconds, "the linger")
        try set(ZMQ_RECONNECT_IVL, max(1, options.reconnectInterval.milliseconds), "the reconnect interval")
        if let maximum = options.reconnectMaximum {
            try set(ZMQ_RECONNECT_IVL_MAX, maximum.milliseconds, "the longest reconnect interval")
        }
        if let timeout = options.connectTimeout {
            try set(ZMQ_CONNECT_TIMEOUT, max(1, timeout.milliseconds), "the connect time-out")
        }
        try set(ZMQ_IMMEDIATE, options.queuesForConnectedOnly ? 1 : 0, "queueing for connected peers only")
        if let bytes = options.maximumMessageSize {
            guard bytes >= 0 else { throw ZeroMQError(.invalidArgument, "\(bytes) bytes are no size of a message") }
            try set(ZMQ_MAXMSGSIZE, wide: Int64(bytes), "the largest message")
        }
        try set(ZMQ_HANDSHAKE_IVL, max(1, options.handshakeTimeout.milliseconds), "the handshake's time-out")
        if let interval = options.heartbeatInterval {
            try set(ZMQ_HEARTBEAT_IVL, max(1, interval.milliseconds), "the heartbeat")
        }
        if let keepalive = options.keepalive {
            try set(ZMQ_TCP_KEEPALIVE, 1, "TCP keepalive")
            try set(ZMQ_TCP_KEEPALIVE_IDLE, max(1, keepalive.idle.milliseconds / 1000), "TCP keepalive's idle time")
            try set(ZMQ_TCP_KEEPALIVE_INTVL, max(1, keepalive.interval.milliseconds / 1000), "TCP keepalive's interval")
            try set(ZMQ_TCP_KEEPALIVE_CNT, Self.count(keepalive.count, "a number of probes"), "TCP keepalive's probes")
        }
        try set(ZMQ_IPV6, options.ipv6 ? 1 : 0, "IPv6")
        if let id = options.routingID { try set(ZMQ_ROUTING_ID, id, "a routing id of \(id.count) bytes") }
        if options.probesRouter { try set(ZMQ_PROBE_ROUTER, 1, "the probe of routers") }
        if options.publishesToAllOrNone, kind == .publish || kind == .extendedPublish {
            try set(ZMQ_XPUB_NODROP, 1, "publishing to all peers or none")
        }
        if kind == .router { try set(ZMQ_ROUTER_MANDATORY, options.routerMandatory ? 1 : 0, "refusing unknown peers") }
        try set(options.curve)
    }

    private func set(_ curve: Curve?) throws(ZeroMQError) {
        switch curve {
        case nil: break
        case .server(let server):
            try set(ZMQ_CURVE_SERVER, 1, "CURVE")
            try set(ZMQ_CURVE_SECRETKEY, server.secretKey.bytes, "a CURVE secret key")
        case .client(let client):
            try set(ZMQ_CURVE_SERVERKEY, client.serverKey.bytes, "a CURVE server key")
            try set(ZMQ_CURVE_PUBLICKEY, client.keys.publicKey.bytes, "a CURVE public key")
            try set(ZMQ_CURVE_SECRETKEY, client.keys.secretKey.bytes, "a CURVE secret key")
        }
    }

    func set(_ option: Int32, _ value: Int32, _ what: String) throws(ZeroMQError) {
        var value = value
        guard zmq_setsockopt(pointer, option, &value, MemoryLayout<Int32>.size) == 0 else {
            throw ZeroMQError(zmq_errno(), "\(what) cannot be set to \(value)")
        }
    }

    private func set(_ option: Int32, wide value: Int64, _ what: String) throws(ZeroMQError) {
        var value = value
        guard zmq_setsockopt(pointer, option, &value, MemoryLayout<Int64>.size) == 0 else {
            throw ZeroMQError(zmq_errno(), "\(what) cannot be set to \(value)")
        }
    }

    // What is set is named without its value: it may be a secret.
    func set(_ option: Int32, _ bytes: [UInt8], _ what: String) throws(ZeroMQError) {
        guard zmq_setsockopt(pointer, option, bytes, bytes.count) == 0 else {
            throw ZeroMQError(zmq_errno(), "\(what) cannot be set")
        }
    }

    static func count(_ value: Int, _ what: String) throws(ZeroMQError) -> Int32 {
        guard let number = Int32(exactly: value), number >= 1 else {
            throw ZeroMQError(.invalidArgument, "\(value) cannot be \(what); 1 is the least, \(Int32.max) the most")
        }
        return number
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, as libzmq takes them.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let whole = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        guard seconds < Int64(Int32.max) / 1000 else { return Int32.max }
        return Int32(seconds * 1000 + whole)
    }
}
