import DedicatedThread
import Glibc

/// A TCP server on loopback, in this process, that answers the first bytes of a connection with a greeting and keeps the
/// connection open until the other side ends it.
public final class GreetingNode: Sendable {
    /// The loopback port where it listens.
    public let port: Int
    /// How many bytes a greeting has.
    public let size: Int
    private let greeting: [UInt8]
    private let listener: LoopbackListener

    /// Starts a node.
    ///
    /// - Parameters:
    ///   - size: How many bytes a greeting has.
    ///   - head: Its first bytes.
    /// - Throws: ``TestServerError`` when there is no port.
    public init(size: Int, head: String = "") throws {
        listener = try LoopbackListener()
        port = listener.port
        self.size = size
        let head = Array(head.utf8)
        greeting = head + [UInt8](repeating: UInt8(ascii: "g"), count: size - head.count)
        onThread { [self] in
            defer { listener.close() }
            while case let client = accept(listener.descriptor, nil, nil), client >= 0 {
                onThread { self.serve(client) }
            }
        }
    }

    /// Stops listening.
    public func close() { shutdown(listener.descriptor, Int32(SHUT_RDWR)) }

    private func serve(_ client: Int32) {
        defer { Glibc.close(client) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard recv(client, &buffer, buffer.count, 0) > 0 else { return }
        guard send(client, greeting, size, Int32(MSG_NOSIGNAL)) == size else { return }
        while recv(client, &buffer, buffer.count, 0) > 0 {}
    }
}

/// A connection that was greeted by a ``GreetingNode``, perhaps through a balancer, and stays open.
public final class GreetedClient: Sendable {
    private let descriptor: Int32

    /// Connects, and waits for all of the greeting; a balancer may add to its head.
    ///
    /// - Parameters:
    ///   - port: The loopback port of the node, or of a balancer before it.
    ///   - size: How many bytes the greeting has.
    ///   - request: What it is asked for with.
    /// - Throws: ``TestServerError`` when the greeting does not come.
    public init(port: Int, size: Int, request: String = "x") async throws {
        let descriptor = connectToLoopback(port: port)
        guard descriptor >= 0 else { throw TestServerError("nobody listens on port \(port)") }
        self.descriptor = descriptor
        let received = await DedicatedThread(name: "greeted").run { () -> Int in
            var patience = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            _ = send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL))
            var buffer = [UInt8](repeating: 0, count: 65_536)
            var total = 0
            while total < size, case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 {
                total += count
            }
            return total
        }
        guard received >= size else { throw TestServerError("\(received) bytes of a greeting of \(size)") }
    }

    /// Ends the connection; it is called once.
    public func close() { _ = Glibc.close(descriptor) }
}

private func onThread(_ body: @escaping @Sendable () -> Void) {
    Task { await DedicatedThread(name: "greeting").run(body) }
}
