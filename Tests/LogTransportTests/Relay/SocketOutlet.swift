import LogTransport
import ZeroMQ

/// An outlet that gives each line to a PUSH socket, and takes no more.
final class SocketOutlet: Outlet {
    private var socket: Socket
    private(set) var acknowledged: UInt64 = 0

    /// Makes the outlet.
    init(
        bindingTo endpoint: Endpoint? = nil, connectingTo peer: Endpoint? = nil, highWaterMark: Int = 20_000,
        bound: (Endpoint) -> Void = { _ in }
    ) throws(LogTransportError) {
        var options = SocketOptions()
        options.sendHighWaterMark = highWaterMark
        options.linger = .seconds(5)
        do {
            socket = try Socket(.push, in: .ofTests, options: options)
            if let endpoint { bound(try socket.bind(endpoint)) }
            if let peer { try socket.connect(peer) }
        } catch {
            throw LogTransportError(.unavailable, "no socket", cause: error)
        }
    }

    func offer(_ line: UnsafeRawBufferPointer, number: UInt64) throws(LogTransportError) -> Bool {
        do {
            guard try socket.send(line, wait: false) else { return false }
        } catch {
            throw LogTransportError(.systemError, "cannot send", cause: error)
        }
        acknowledged = number
        return true
    }

    func flush() {}
    func advance() {}

    func waits(forRoom: Bool) -> [Wait] { forRoom ? [Wait(.socket(socket.handle), .output)] : [] }

    var nextDeadline: ContinuousClock.Instant? { nil }
    var counts: OutletCounts { OutletCounts() }

    func finish(until deadline: ContinuousClock.Instant, end: Int32) -> UInt64 { 0 }
}
