import CZeroMQ

extension Socket {
    /// Changes how long messages are kept after the socket was closed.
    ///
    /// - Parameter linger: As ``SocketOptions/linger``.
    /// - Throws: ``ZeroMQError`` when libzmq refuses.
    public mutating func setLinger(_ linger: Duration) throws(ZeroMQError) {
        try socket.set(ZMQ_LINGER, linger.milliseconds, "the linger")
    }

    /// What can be read from when something may have happened to the socket (`ZMQ_FD`, zmq_getsockopt(3)).
    ///
    /// It tells of what is no event of a socket to ``poll(_:timeout:)``: that a PUB or XPUB socket with
    /// ``SocketOptions/publishesToAllOrNone`` has room again. It can be read from until the socket was asked for a message.
    package mutating func descriptor() throws(ZeroMQError) -> Int32 {
        var descriptor: Int32 = -1
        var size = MemoryLayout<Int32>.size
        guard zmq_getsockopt(handle, ZMQ_FD, &descriptor, &size) == 0 else {
            throw ZeroMQError(zmq_errno(), "the socket's descriptor cannot be had")
        }
        return descriptor
    }

    /// Takes messages that begin with some bytes; for a SUB socket.
    ///
    /// - Parameter prefix: The bytes; none for all messages.
    /// - Throws: ``ZeroMQError`` when the socket is of another kind.
    public mutating func subscribe(to prefix: [UInt8] = []) throws(ZeroMQError) {
        try socket.set(ZMQ_SUBSCRIBE, prefix, "a subscription")
    }
}
