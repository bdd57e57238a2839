import CZeroMQ
import DedicatedThread
import Synchronization

/// Decides for the sockets of one context which CURVE clients are let in: the handler of ZAP requests (ZeroMQ RFC 27).
///
/// libzmq lets everybody in while there is none, so it is there before the first socket that wants one can be bound. It
/// has a thread of its own, which ends with the context.
final class Authenticator: Sendable {
    /// Lets the clients of one socket in while it is there.
    final class Admission: Sendable {
        /// What the requests of that socket say.
        let domain: String
        private let authenticator: Authenticator

        fileprivate init(domain: String, authenticator: Authenticator) {
            self.domain = domain
            self.authenticator = authenticator
        }

        deinit { authenticator.book.withLock { _ = $0.allowed.removeValue(forKey: domain) } }
    }

    private struct Book {
        var allowed: [String: Set<CurvePublicKey>] = [:]
        var domains = 0
    }

    private let book = Mutex(Book())

    /// Starts the handler.
    ///
    /// - Parameter context: libzmq's handle of the context; the thread ends before the context does, as
    ///   `zmq_ctx_term`(3) waits for its socket.
    /// - Throws: ``ZeroMQError`` when there is no socket left, or another handler in the same context.
    init(in context: UnsafeMutableRawPointer) throws(ZeroMQError) {
        var socket = Socket(try SocketHandle(.router, inHandle: context))
        try socket.bind(.inproc("zeromq.zap.01"))
        let handler = SocketBox(socket)
        Task { [self] in
            let thread = DedicatedThread(name: "zmq-curve")
            await thread.run { self.handle(requestsOf: handler) }
        }
    }

    /// Lets some clients in, for one socket.
    func admit(_ clients: Set<CurvePublicKey>) -> Admission {
        let domain = book.withLock { book in
            book.domains += 1
            let domain = "libra-\(book.domains)"
            book.allowed[domain] = clients
            return domain
        }
        return Admission(domain: domain, authenticator: self)
    }

    private func handle(requestsOf box: SocketBox) {
        guard var socket = box.take() else { return }
        do throws(ZeroMQError) {
            while true { try answer(&socket) }
        } catch {
            // The context ends; nothing else goes wrong with a socket of this process's own.
        }
    }

    private func answer(_ socket: inout Socket) throws(ZeroMQError) {
        var frames: [[UInt8]] = []
        var message = Message()
        repeat {
            _ = try socket.receive(into: &message, wait: true)
            frames.append(message.bytes)
        } while message.hasMore
        // The way back ends with an empty frame; then come version, request id, domain, address, routing id, mechanism
        // and credentials.
        guard let end = frames.firstIndex(of: []), frames.count >= end + 8 else { return }
        let request = Array(frames[(end + 1)...])
        let isAllowed = isAllowed(domain: request[2], mechanism: request[5], key: request.count > 6 ? request[6] : [])
        let status = isAllowed ? "200" : "400"
        let text = isAllowed ? "OK" : "the key is not among those allowed"
        let reply = frames[...end] + [request[0], request[1], Array(status.utf8), Array(text.utf8), [], []]
        for (index, frame) in reply.enumerated() {
            _ = try socket.send(frame, more: index < reply.count - 1, wait: true)
        }
    }

    private func isAllowed(domain: [UInt8], mechanism: [UInt8], key: [UInt8]) -> Bool {
        guard mechanism == Array("CURVE".utf8), let key = CurvePublicKey(bytes: key) else { return false }
        return book.withLock { $0.allowed[String(decoding: domain, as: UTF8.self)]?.contains(key) ?? false }
    }
}

/// Hands a socket from one thread to another.
private final class SocketBox: Sendable {
    private let socket: Mutex<Socket?>

    init(_ socket: consuming sending Socket) { self.socket = Mutex(socket) }

    func take() -> Socket? { socket.withLock { $0.take() } }
}
