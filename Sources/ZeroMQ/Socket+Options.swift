import CZeroMQ

extension Socket {
    /// Changes how long messages are kept after the socket was closed.
    ///
    /// - Parameter linger: As ``SocketOptions/linger``.
    /// - Throws: ``ZeroMQError`` when libzmq refuses.
    public mutating func setLinger(_ linger: Duration) throws(ZeroMQError) {
        try socket.set(ZMQ_LINGER, linger.milliseconds, "the linger")
    }

    /// Takes messages that begin with some bytes; for a SUB socket.
    ///
    /// - Parameter prefix: The bytes; none for all messages.
    /// - Throws: ``ZeroMQError`` when the socket is of another kind.
    public mutating func subscribe(to prefix: [UInt8] = []) throws(ZeroMQError) {
        try socket.set(ZMQ_SUBSCRIBE, prefix, "a subscription")
    }
}
