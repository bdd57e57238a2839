import CZeroMQ

/// One thing that ``poll(_:timeout:)`` waits on: a socket or a descriptor.
///
/// It refers to a socket without keeping it: use it only while the socket is open, and in the socket's thread.
public struct PollItem {
    /// What can happen to a socket or a descriptor (zmq_poll(3)).
    public struct Events: OptionSet, Sendable {
        /// `ZMQ_POLLIN` and its like.
        public let rawValue: Int16

        /// Events by their numbers in `zmq_poll`(3).
        public init(rawValue: Int16) { self.rawValue = rawValue }

        /// One message at least can be received; a descriptor can be read from.
        public static let input = Events(rawValue: 1)
        /// One message at least can be sent; a descriptor can be written to.
        public static let output = Events(rawValue: 2)
        /// A descriptor has an error, was hung up, or is not open; reported without being asked for.
        public static let error = Events(rawValue: 4)
    }

    private var item: zmq_pollitem_t

    /// An item for a socket.
    public init(_ socket: borrowing Socket, _ events: Events) {
        self.init(socketHandle: socket.handle, events)
    }

    /// An item for a descriptor.
    public init(descriptor: Int32, _ events: Events) {
        item = zmq_pollitem_t(socket: nil, fd: descriptor, events: events.rawValue, revents: 0)
    }

    /// An item for a socket by libzmq's handle of it.
    package init(socketHandle: UnsafeMutableRawPointer, _ events: Events) {
        item = zmq_pollitem_t(socket: socketHandle, fd: -1, events: events.rawValue, revents: 0)
    }

    /// What to wait for; none for an item that is left out.
    public var events: Events {
        get { Events(rawValue: item.events) }
        set { item.events = newValue.rawValue }
    }

    /// What the last wait found.
    public var ready: Events { Events(rawValue: item.revents) }
}

/// Waits until something can be done with one of some sockets and descriptors (zmq_poll(3)).
///
/// - Parameters:
///   - items: What to wait on; each has its ``PollItem/ready`` set.
///   - timeout: How long to wait at most; nil for ever, zero not at all.
/// - Returns: The number of items that are ready; 0 when the time was up.
/// - Throws: ``ZeroMQError``: `terminated` when the context of a socket was shut down.
@discardableResult
public func poll(_ items: inout [PollItem], timeout: Duration?) throws(ZeroMQError) -> Int {
    let clock = ContinuousClock()
    let deadline = timeout.map { clock.now + $0 }
    while true {
        let left = deadline.map { Int($0 == clock.now ? 0 : max(.zero, $0 - clock.now).milliseconds) } ?? -1
        // PollItem has one stored property, and so its layout.
        let count = items.withUnsafeMutableBytes {
            zmq_poll($0.baseAddress?.assumingMemoryBound(to: zmq_pollitem_t.self), Int32($0.count / itemSize), left)
        }
        if count >= 0 { return Int(count) }
        let number = zmq_errno()
        guard number == EINTR else { throw ZeroMQError(number, "the sockets cannot be waited on") }
    }
}

private let itemSize = MemoryLayout<zmq_pollitem_t>.stride
