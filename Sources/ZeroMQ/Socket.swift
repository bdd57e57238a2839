import CZeroMQ

/// A ZeroMQ socket.
///
/// It belongs to one thread at a time. It may be handed from one to another, which is safe as a value without copies can
/// only be handed over whole (zmq_socket(3), "Thread safety", wants a full memory barrier, which such a handing over is).
/// It is closed when its owner lets go of it; what it still holds for its peers is kept as long as
/// ``SocketOptions/linger`` says.
///
/// `@unchecked Sendable`: see above; what sends and receives is `mutating`, and so needs the socket to itself.
public struct Socket: ~Copyable, @unchecked Sendable {
    let socket: SocketHandle
    private let admission: Authenticator.Admission?

    /// The pointer that libzmq knows the socket by; it is valid as long as the socket is.
    package var handle: UnsafeMutableRawPointer { socket.pointer }

    /// Opens a socket; nothing is bound or connected yet.
    ///
    /// - Parameters:
    ///   - kind: What it does with its messages.
    ///   - context: Whose threads carry the messages.
    ///   - options: How it queues, connects and protects them.
    /// - Throws: ``ZeroMQError`` when an option is out of its range, or there are no sockets or descriptors left.
    public init(_ kind: SocketKind, in context: Context, options: SocketOptions = SocketOptions()) throws(ZeroMQError) {
        let socket = try SocketHandle(kind, in: context)
        try socket.set(options, of: kind)
        var admission: Authenticator.Admission?
        if case .server(let server) = options.curve {
            let started = try context.startedAuthenticator().admit(server.allowedClients)
            try socket.set(ZMQ_ZAP_DOMAIN, Array(started.domain.utf8), "a ZAP domain")
            admission = started
        }
        self.socket = socket
        self.admission = admission
    }

    /// A socket that its context has for itself.
    init(_ socket: consuming SocketHandle) {
        self.socket = socket
        admission = nil
    }

    /// Closes the socket, as letting go of it does.
    public consuming func close() {}

    /// Sends one frame, copying it.
    ///
    /// - Parameters:
    ///   - bytes: The frame.
    ///   - more: Whether the next frame belongs to the same message; a message arrives whole or not at all.
    ///   - wait: Whether to wait for room.
    /// - Returns: Whether it was taken. When not, there is no room now, or no peer.
    /// - Throws: ``ZeroMQError``: `unreachable` from a ROUTER that does not know the peer, `terminated` when the context
    ///   was shut down.
    public mutating func send(
        _ bytes: UnsafeRawBufferPointer, more: Bool = false, wait: Bool
    ) throws(ZeroMQError) -> Bool {
        let flags = (more ? ZMQ_SNDMORE : 0) | (wait ? 0 : ZMQ_DONTWAIT)
        while zmq_send(handle, bytes.baseAddress, bytes.count, flags) < 0 {
            guard try isInterrupted("nothing could be sent") else { return false }
        }
        return true
    }

    /// Sends one frame, copying it.
    ///
    /// - Parameters:
    ///   - bytes: The frame.
    ///   - more: Whether the next frame belongs to the same message.
    ///   - wait: Whether to wait for room.
    /// - Returns: Whether it was taken. When not, there is no room now, or no peer.
    /// - Throws: ``ZeroMQError``, as the function above.
    public mutating func send(_ bytes: [UInt8], more: Bool = false, wait: Bool) throws(ZeroMQError) -> Bool {
        let span = bytes.span
        return try span.withUnsafeBytes { (bytes) throws(ZeroMQError) in try send(bytes, more: more, wait: wait) }
    }

    /// Sends what a message holds, which leaves it empty.
    ///
    /// - Parameters:
    ///   - message: The frame; it keeps what it holds when it is not taken.
    ///   - more: Whether the next frame belongs to the same message.
    ///   - wait: Whether to wait for room.
    /// - Returns: Whether it was taken. When not, there is no room now, or no peer.
    /// - Throws: ``ZeroMQError``, as the functions above.
    public mutating func send(
        _ message: inout Message, more: Bool = false, wait: Bool
    ) throws(ZeroMQError) -> Bool {
        let flags = (more ? ZMQ_SNDMORE : 0) | (wait ? 0 : ZMQ_DONTWAIT)
        while zmq_msg_send(message.frame, handle, flags) < 0 {
            guard try isInterrupted("nothing could be sent") else { return false }
        }
        return true
    }

    /// Receives one frame.
    ///
    /// - Parameters:
    ///   - message: What is replaced by the frame.
    ///   - wait: Whether to wait for one.
    /// - Returns: Whether there was one.
    /// - Throws: ``ZeroMQError``: `terminated` when the context was shut down.
    public mutating func receive(into message: inout Message, wait: Bool) throws(ZeroMQError) -> Bool {
        while zmq_msg_recv(message.frame, handle, wait ? 0 : ZMQ_DONTWAIT) < 0 {
            guard try isInterrupted("nothing could be received") else { return false }
        }
        return true
    }

    /// Whether the last call is to be made again; when not, it would have had to wait.
    private func isInterrupted(_ what: String) throws(ZeroMQError) -> Bool {
        switch zmq_errno() {
        case EINTR: return true
        case EAGAIN: return false
        case let number: throw ZeroMQError(number, what)
        }
    }
}
