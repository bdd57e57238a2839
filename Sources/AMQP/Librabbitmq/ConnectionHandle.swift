internal import CRabbitMQ
internal import Glibc

/// A librabbitmq connection that is logged in, freed in `deinit`.
///
/// librabbitmq allows a connection to be used by one thread at a time (amqp.h, `amqp_new_connection`), which the
/// ownership sees to. Nothing here waits for the peer after `init`: reading asks with a time of zero, and writing is
/// only done while the socket's buffer has room (see ``isWritable``).
struct ConnectionHandle: ~Copyable {
    /// The largest frame either side may send: small, so that it always fits what ``isWritable`` promises.
    static let largestFrame = 32_768
    /// How many bytes may be written after ``isWritable`` was true.
    ///
    /// A stream socket is writable while a third of its buffer is free (sk_stream_is_writeable in Linux), the kernel
    /// counts up to twice the payload, and `init` asks for a buffer of at least six times this.
    static let writableBytes = 65_536

    private let state: amqp_connection_state_t
    /// The socket.
    let descriptor: Int32
    /// The largest payload of a body frame.
    let bodyFrameBytes: Int
    /// How often a heartbeat is due, in seconds; zero for never.
    let heartbeat: Int
    /// The highest channel number.
    let channelMax: UInt16

    /// Connects, does TLS, and logs in; takes up to `timeout`.
    init(
        to uri: BrokerURI, name: String, heartbeat: Duration, timeout: Duration
    ) throws(AMQPError) {
        state = try connectedState(to: uri, name: name, heartbeat: heartbeat, timeout: timeout)
        descriptor = amqp_get_sockfd(state)
        var size = Int32(6 * Self.writableBytes)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        // Seven bytes before a frame's payload and one behind it.
        bodyFrameBytes = Int(amqp_get_frame_max(state)) - 8
        self.heartbeat = Int(amqp_get_heartbeat(state))
        channelMax = UInt16(clamping: amqp_get_channel_max(state))
    }

    deinit {
        amqp_destroy_connection(state)
    }

    /// Whether frames can be read without looking at the socket.
    var hasInput: Bool { amqp_frames_enqueued(state) != 0 || amqp_data_in_buffer(state) != 0 }

    /// Whether ``writableBytes`` can be written without waiting.
    var isWritable: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        // On an error too: writing then tells which.
        return poll(&entry, 1, 0) == 1
    }

    /// Gathers what is written into full packets while it is `true` (`TCP_CORK`, tcp(7)).
    ///
    /// librabbitmq sends a message with three system calls and a packet of its own; a packet for many costs both sides
    /// much less.
    func setCork(_ isCorked: Bool) {
        var value: Int32 = isCorked ? 1 : 0
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Reads a frame if there is one, and does what heartbeats need.
    ///
    /// What the frame points at is valid until ``release(_:)`` of its channel.
    mutating func receive() throws(AMQPError) -> amqp_frame_t? {
        var frame = amqp_frame_t()
        var zero = timeval()
        let status = amqp_simple_wait_frame_noblock(state, &frame, &zero)
        if status == AMQP_STATUS_OK.rawValue { return frame }
        if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
        throw connectionError(status)
    }

    /// Lets librabbitmq use the memory of a channel's frames again.
    mutating func release(_ channel: UInt16) {
        amqp_maybe_release_buffers_on_channel(state, channel)
    }

    /// Sends a method.
    mutating func send<Method: BitwiseCopyable>(
        _ id: amqp_method_number_t, _ method: Method, on channel: UInt16
    ) throws(AMQPError) {
        var method = method
        try check(amqp_send_method(state, channel, id, &method))
    }

    /// Sends a message of one body frame at most.
    mutating func publish(
        _ body: UnsafeRawBufferPointer, to route: EncodedRoute,
        properties: UnsafePointer<amqp_basic_properties_t>, on channel: UInt16
    ) throws(AMQPError) {
        let bytes = amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress))
        try check(
            amqp_basic_publish(
                state, channel, route.exchange, route.routingKey, route.isMandatory ? 1 : 0, 0, properties, bytes))
    }

    /// Sends what comes before the body of a larger message.
    mutating func publishHead(
        bodySize: Int, to route: EncodedRoute, properties: UnsafePointer<amqp_basic_properties_t>, on channel: UInt16
    ) throws(AMQPError) {
        try send(
            AMQP_BASIC_PUBLISH_METHOD,
            amqp_basic_publish_t(
                ticket: 0, exchange: route.exchange, routing_key: route.routingKey,
                mandatory: route.isMandatory ? 1 : 0, immediate: 0), on: channel)
        var frame = amqp_frame_t()
        frame.frame_type = UInt8(AMQP_FRAME_HEADER)
        frame.channel = channel
        frame.payload.properties.class_id = UInt16(AMQP_BASIC_CLASS)
        frame.payload.properties.body_size = UInt64(bodySize)
        frame.payload.properties.decoded = UnsafeMutableRawPointer(mutating: properties)
        try check(amqp_send_frame(state, &frame))
    }

    /// Sends a piece of a body, ``bodyFrameBytes`` long at most.
    mutating func sendBody(_ piece: UnsafeRawBufferPointer, on channel: UInt16) throws(AMQPError) {
        var frame = amqp_frame_t()
        frame.frame_type = UInt8(AMQP_FRAME_BODY)
        frame.channel = channel
        frame.payload.body_fragment = amqp_bytes_t(
            len: piece.count, bytes: UnsafeMutableRawPointer(mutating: piece.baseAddress))
        try check(amqp_send_frame(state, &frame))
    }

    private func check(_ status: Int32) throws(AMQPError) {
        if status != AMQP_STATUS_OK.rawValue { throw connectionError(status) }
    }
}

private func connectedState(
    to uri: BrokerURI, name: String, heartbeat: Duration, timeout: Duration
) throws(AMQPError) -> amqp_connection_state_t {
    guard let state = amqp_new_connection() else { throw AMQPError(.systemError, "librabbitmq is out of memory") }
    do throws(AMQPError) {
        let start = ContinuousClock.now
        try connectSocket(of: state, to: uri, within: timeout)
        let left = max(timeout - (.now - start), .milliseconds(1))
        try logIn(state, to: uri, name: name, heartbeat: heartbeat, within: left)
        return state
    } catch {
        amqp_destroy_connection(state)
        throw error
    }
}

/// What a status means on a connection that was logged in.
private func connectionError(_ status: Int32) -> AMQPError {
    let reason = String(cString: amqp_error_string2(status))
    return switch amqp_status_enum(status) {
    case AMQP_STATUS_HEARTBEAT_TIMEOUT:
        AMQPError(.connectionLost, "the connection to the broker is dead: no heartbeat came in time")
    case AMQP_STATUS_BAD_AMQP_DATA, AMQP_STATUS_UNKNOWN_CLASS, AMQP_STATUS_UNKNOWN_METHOD:
        AMQPError(.protocolViolation, "the broker sent what is not AMQP 0-9-1: \(reason)")
    case AMQP_STATUS_NO_MEMORY, AMQP_STATUS_TIMER_FAILURE, AMQP_STATUS_TABLE_TOO_BIG, AMQP_STATUS_INVALID_PARAMETER:
        AMQPError(.systemError, "librabbitmq failed: \(reason)")
    default:
        AMQPError(.connectionLost, "the connection to the broker was lost: \(reason)")
    }
}
