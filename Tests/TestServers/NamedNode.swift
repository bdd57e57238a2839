import DedicatedThread
import Glibc
import Synchronization

/// An HTTP server on loopback, in this process, that answers every request with its name: a node behind a balancer.
///
/// Each connection has a thread of its own and one request.
public final class NamedNode: Sendable {
    /// What it answers.
    public let name: String
    /// The loopback port where it listens.
    public let port: Int
    private let listener: LoopbackListener
    private let count = Atomic<Int>(0)

    /// Starts a node.
    ///
    /// - Throws: ``TestServerError`` when there is no port.
    public init(_ name: String) throws {
        self.name = name
        listener = try LoopbackListener()
        port = listener.port
        onThread { [self] in
            defer { listener.close() }
            while case let client = accept(listener.descriptor, nil, nil), client >= 0 {
                onThread { self.serve(client) }
            }
        }
    }

    /// How many requests it has answered; health checks by connection are none.
    public var requests: Int { count.load(ordering: .relaxed) }

    /// Stops listening.
    public func close() { shutdown(listener.descriptor, Int32(SHUT_RDWR)) }

    private func serve(_ client: Int32) {
        defer { Glibc.close(client) }
        guard !receiveHead(client).isEmpty else { return }
        count.add(1, ordering: .relaxed)
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(name.utf8.count)\r\nConnection: close\r\n\r\n\(name)"
        _ = answer.withCString { send(client, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    }
}

/// Asks for `/` over a connection of its own.
///
/// - Parameters:
///   - port: Where somebody may listen.
///   - address: An IPv4 or IPv6 address.
/// - Returns: The body of an answer with status 200; else nil.
public func askForName(port: Int, at address: String = "127.0.0.1") async -> String? {
    await DedicatedThread(name: "client").run { () -> String? in
        let descriptor = connect(to: address, port: port)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return name(askedOver: descriptor)
    }
}

/// Asks for `/` over a connection, which ends with the answer.
func name(askedOver descriptor: Int32) -> String? {
    let request = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    _ = request.withCString { send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    let answer = String(decoding: receiveAll(descriptor), as: UTF8.self)
    guard answer.hasPrefix("HTTP/1.1 200 "), let end = answer.firstRange(of: "\r\n\r\n") else { return nil }
    return String(answer[end.upperBound...])
}

private func onThread(_ body: @escaping @Sendable () -> Void) {
    Task { await DedicatedThread(name: "node").run(body) }
}

private func connect(to address: String, port: Int) -> Int32 {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICHOST
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, "\(port)", &hints, &list) == 0, let entry = list?.pointee else { return -1 }
    defer { freeaddrinfo(list) }
    let descriptor = socket(entry.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    guard connect(descriptor, entry.ai_addr, entry.ai_addrlen) == 0 else {
        close(descriptor)
        return -1
    }
    return descriptor
}

private func receiveHead(_ descriptor: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return [] }
        bytes += buffer[..<count]
    }
    return bytes
}

private func receiveAll(_ descriptor: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 { bytes += buffer[..<count] }
    return bytes
}
