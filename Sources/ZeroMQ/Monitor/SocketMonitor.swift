import CZeroMQ
import Synchronization

/// Tells what happens to a socket's connections (zmq_socket_monitor(3)).
///
/// It belongs to one thread at a time, as a socket does. Its owner is to take the events out as they come: libzmq's
/// threads stop and wait once ``mostWaiting`` of them are waiting.
public struct SocketMonitor: ~Copyable, Sendable {
    /// Events that wait at most.
    public static let mostWaiting = 10_000

    private var socket: Socket
    private var message = Message()

    /// Watches `watched`, from now on; one monitor a socket.
    ///
    /// - Parameters:
    ///   - watched: The socket; watch it before it is bound or connected, and nothing is missed.
    ///   - context: The socket's context.
    /// - Throws: ``ZeroMQError`` when there are no sockets left.
    public init(of watched: borrowing Socket, in context: Context) throws(ZeroMQError) {
        var options = SocketOptions()
        options.receiveHighWaterMark = Self.mostWaiting
        var socket = try Socket(.pair, in: context, options: options)
        let endpoint = Endpoint.inproc("monitor-\(monitors.add(1, ordering: .relaxed).newValue)")
        guard zmq_socket_monitor(watched.handle, endpoint.description, SocketEvent.asked) == 0 else {
            throw ZeroMQError(zmq_errno(), "a socket cannot be watched")
        }
        try socket.connect(endpoint)
        self.socket = socket
    }

    /// What to wait on for the next event.
    public var pollItem: PollItem { PollItem(socket, .input) }

    /// libzmq's handle of the monitor's own socket.
    package var handle: UnsafeMutableRawPointer { socket.handle }

    /// The next event.
    ///
    /// - Returns: nil when there is none now.
    /// - Throws: ``ZeroMQError`` when the context was shut down.
    public mutating func next() throws(ZeroMQError) -> SocketEvent? {
        while try socket.receive(into: &message, wait: false) {
            let first = message.bytes
            var endpoint = ""
            while message.hasMore, try socket.receive(into: &message, wait: true) {
                endpoint = String(decoding: message.bytes, as: UTF8.self)
            }
            if let event = first.withUnsafeBytes({ SocketEvent(frame: $0, endpoint: endpoint) }) { return event }
        }
        return nil
    }
}

/// Numbers the monitors of this process, for their names.
private let monitors = Atomic<Int>(0)
