import CZeroMQ

extension Socket {
    /// Changes how many messages may wait for each peer, of those that are connected too.
    ///
    /// - Parameter messages: As ``SocketOptions/sendHighWaterMark``.
    /// - Throws: ``ZeroMQError`` when it is out of range.
    public mutating func setSendHighWaterMark(_ messages: Int) throws(ZeroMQError) {
        try socket.set(ZMQ_SNDHWM, SocketHandle.count(messages, "a high-water mark"), "the high-water mark")
    }

    /// Changes how many messages of each peer may wait to be received, of those that are connected too.
    ///
    /// - Parameter messages: As ``SocketOptions/receiveHighWaterMark``.
    /// - Throws: ``ZeroMQError`` when it is out of range.
    public mutating func setReceiveHighWaterMark(_ messages: Int) throws(ZeroMQError) {
        try socket.set(ZMQ_RCVHWM, SocketHandle.count(messages, "a high-water mark"), "the high-water mark")
    }

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
