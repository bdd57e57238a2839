import CZeroMQ

/// What happened to a connection of a socket (zmq_socket_monitor(3)).
public struct SocketEvent: Sendable, Hashable, CustomStringConvertible {
    /// What happened.
    public enum Kind: Sendable, Hashable {
        /// A connection was made to the endpoint; the peers have not greeted each other yet.
        case connected
        /// libzmq waits, and will try to connect again.
        case connectRetried
        /// A connection to the bound endpoint was accepted; the peers have not greeted each other yet.
        case accepted
        /// A connection to the bound endpoint could not be accepted, for example as no descriptors are left.
        case acceptFailed(errno: Int32)
        /// The peers greeted each other, and authenticated where that is asked for: messages flow.
        case handshakeSucceeded
        /// The peers do not understand each other, or one refuses the other: no message flows.
        case handshakeFailed(HandshakeFailure)
        /// A connection ended; also one whose handshake failed, which was told before.
        case disconnected
        /// The socket was closed; nothing comes after it.
        case stopped
    }

    /// What happened.
    public let kind: Kind
    /// The endpoint that was bound or connected to, as libzmq writes it.
    public let endpoint: String

    /// The connection's descriptor, where the event begins or ends a connection.
    ///
    /// It is libzmq's: it may be closed and used anew at any moment, and is good for no more than a look at its state.
    package let descriptor: Int32?

    /// An event that libzmq does not tell of, but that follows from others.
    package init(_ kind: Kind, endpoint: String, descriptor: Int32? = nil) {
        self.kind = kind
        self.endpoint = endpoint
        self.descriptor = descriptor
    }

    /// The event as a sentence without an end.
    public var description: String {
        switch kind {
        case .connected: "connected to \(endpoint)"
        case .connectRetried: "connects to \(endpoint) again"
        case .accepted: "a connection to \(endpoint) was accepted"
        case .acceptFailed(let number):
            "a connection to \(endpoint) could not be accepted: \(String(cString: zmq_strerror(number)))"
        case .handshakeSucceeded: "a peer is there on \(endpoint)"
        case .handshakeFailed(let failure):
            "a peer on \(endpoint) was turned away, or turned this side away: \(failure)"
        case .disconnected: "a peer on \(endpoint) is gone"
        case .stopped: "the socket was closed"
        }
    }
}

/// Why two peers did not come together.
public enum HandshakeFailure: Sendable, Hashable, CustomStringConvertible {
    /// The CURVE server refuses the client's key; the status is that of ZAP (RFC 27).
    case keyRefused(status: Int)
    /// What was encrypted cannot be decrypted: the client has another key for the server than the server's own.
    case wrongServerKey
    /// One wants CURVE and the other does not.
    case mechanismMismatch
    /// The other side does not speak ZMTP as it should; the number is libzmq's.
    case protocolError(Int32)
    /// The other side closed the connection, or the operating system did.
    case connectionLost(errno: Int32)
    /// The connection ended in the handshake without a reason: most often the two sockets are of kinds that do not belong
    /// together.
    case noGreeting

    /// What is wrong, and what can be done about it.
    public var description: String {
        switch self {
        case .keyRefused:
            "the client's CURVE public key is not among those that the server allows"
        case .wrongServerKey:
            "the server's CURVE public key is not the one that the client was given"
        case .mechanismMismatch:
            "one side uses CURVE and the other does not, or both are CURVE servers"
        case .protocolError(let number):
            "the other side does not speak ZeroMQ's protocol (libzmq's code 0x\(String(number, radix: 16)))"
        case .connectionLost(let number):
            "the other side closed the connection in the handshake (\(String(cString: zmq_strerror(number)))); "
                + "check that the two sides belong together, and the keys where there is CURVE"
        case .noGreeting:
            "the two sides do not belong together; of hayrack and zmqpush, both need the same --delivery"
        }
    }
}

extension SocketEvent {
    /// Reads the first frame of a monitor's message: 16 bits of event, 32 bits of value, in the host's order.
    ///
    /// - Returns: nil for an event that is of no interest here.
    init?(frame: UnsafeRawBufferPointer, endpoint: String) {
        guard frame.count == 6 else { return nil }
        let value = frame.loadUnaligned(fromByteOffset: 2, as: Int32.self)
        switch Int32(frame.loadUnaligned(as: UInt16.self)) {
        case ZMQ_EVENT_CONNECTED: kind = .connected
        case ZMQ_EVENT_CONNECT_RETRIED: kind = .connectRetried
        case ZMQ_EVENT_ACCEPTED: kind = .accepted
        case ZMQ_EVENT_ACCEPT_FAILED: kind = .acceptFailed(errno: value)
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: kind = .handshakeSucceeded
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: kind = .handshakeFailed(.keyRefused(status: Int(value)))
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: kind = .handshakeFailed(HandshakeFailure(protocolError: value))
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: kind = .handshakeFailed(.connectionLost(errno: value))
        case ZMQ_EVENT_DISCONNECTED: kind = .disconnected
        case ZMQ_EVENT_MONITOR_STOPPED: kind = .stopped
        default: return nil
        }
        self.endpoint = endpoint
        switch kind {
        case .connected, .accepted, .disconnected: descriptor = value
        default: descriptor = nil
        }
    }

    /// The events that are asked for.
    static let asked =
        ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED
        | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
        | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_DISCONNECTED
}

extension HandshakeFailure {
    fileprivate init(protocolError number: Int32) {
        switch number {
        case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC: self = .wrongServerKey
        case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH: self = .mechanismMismatch
        default: self = .protocolError(number)
        }
    }
}
