import CZeroMQ

/// One frame of a message, with room for it in libzmq's memory (zmq_msg_init(3)).
///
/// Use one for many messages: receiving into it, copying to it and adopting replace what it held.
///
/// `@unchecked Sendable`: a frame has one owner, and nothing in it knows of threads.
public struct Message: ~Copyable, @unchecked Sendable {
    /// Lets go of bytes that a message adopted; called once, with them and the hint, from any thread.
    public typealias Release = @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Void

    // libzmq wants a frame to stay where it was initialised.
    let frame: UnsafeMutablePointer<zmq_msg_t>

    /// Makes an empty frame.
    public init() {
        frame = .allocate(capacity: 1)
        // It always succeeds (zmq_msg_init(3)).
        zmq_msg_init(frame)
    }

    /// Makes a frame with a copy of some bytes.
    ///
    /// - Parameter bytes: What to copy.
    /// - Throws: ``ZeroMQError`` when there is no memory.
    public init(copying bytes: UnsafeRawBufferPointer) throws(ZeroMQError) {
        self.init()
        try copy(bytes)
    }

    deinit {
        zmq_msg_close(frame)
        frame.deallocate()
    }

    /// Replaces what the frame holds by a copy of some bytes.
    ///
    /// - Parameter bytes: What to copy.
    /// - Throws: ``ZeroMQError`` when there is no memory; the frame is empty then.
    public mutating func copy(_ bytes: UnsafeRawBufferPointer) throws(ZeroMQError) {
        try resize(to: bytes.count)
        if let source = bytes.baseAddress { zmq_msg_data(frame)?.copyMemory(from: source, byteCount: bytes.count) }
    }

    /// Replaces what the frame holds by room for some bytes, which ``withUnsafeMutableBytes(_:)`` is to fill.
    ///
    /// - Parameter count: The bytes; what they hold is not defined.
    /// - Throws: ``ZeroMQError`` when there is no memory; the frame is empty then.
    public mutating func resize(to count: Int) throws(ZeroMQError) {
        zmq_msg_close(frame)
        guard zmq_msg_init_size(frame, count) != 0 else { return }
        let number = zmq_errno()
        zmq_msg_init(frame)
        throw ZeroMQError(number, "no room for a message of \(count) bytes")
    }

    /// Lets go of what the frame holds.
    public mutating func clear() {
        zmq_msg_close(frame)
        zmq_msg_init(frame)
    }

    /// Replaces what the frame holds by bytes that stay where they are (zmq_msg_init_data(3)).
    ///
    /// - Parameters:
    ///   - bytes: What to send; not to be changed until `release` was called.
    ///   - hint: Given to `release`.
    ///   - release: Called when the bytes are not needed any more: by a thread of libzmq once they were handed to the
    ///     operating system, or by whichever thread drops the message. It is not called when this function throws.
    /// - Throws: ``ZeroMQError`` when there is no memory; the frame is empty then.
    public mutating func adopt(
        _ bytes: UnsafeRawBufferPointer, hint: UnsafeMutableRawPointer?, release: Release
    ) throws(ZeroMQError) {
        zmq_msg_close(frame)
        let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        guard zmq_msg_init_data(frame, base, bytes.count, release, hint) != 0 else { return }
        let number = zmq_errno()
        zmq_msg_init(frame)
        throw ZeroMQError(number, "no room for a message of \(bytes.count) bytes")
    }

    /// The bytes that the frame holds.
    public var count: Int { zmq_msg_size(frame) }

    /// Whether the message that this frame was received with has more frames.
    public var hasMore: Bool { zmq_msg_more(frame) != 0 }

    /// Gives the frame's bytes to `body`; they are not to be used after it has returned.
    public borrowing func withUnsafeBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try body(UnsafeRawBufferPointer(start: zmq_msg_data(frame), count: zmq_msg_size(frame)))
    }

    /// Gives the frame's bytes to `body` to change; they are not to be used after it has returned.
    public mutating func withUnsafeMutableBytes<Value, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try body(UnsafeMutableRawBufferPointer(start: zmq_msg_data(frame), count: zmq_msg_size(frame)))
    }

    /// A copy of the frame's bytes.
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}
