import DedicatedThread
import Glibc
import Synchronization

/// Stands between a unix socket's server and its clients, and looks at every line that a client sends.
///
/// The server's socket is moved aside, and the relay listens in its place, until the server makes a new one or the relay
/// is closed.
public final class UnixSocketRelay: Sendable {
    /// What happens with a line that a client sent.
    public enum Verdict: Sendable {
        /// The server gets it.
        case forward
        /// The server gets another one in its place.
        case replace(String)
        /// The server does not get it, and the relay is closed as if its process had been killed.
        case end
    }

    /// Where it listens.
    public let path: String
    private let descriptor: Int32
    private let judge: @Sendable (String) -> Verdict
    private let open = Mutex<Set<Int32>?>([])
    private var target: String { path + ".real" }

    /// Puts a relay in the place of a socket.
    ///
    /// - Parameters:
    ///   - path: The socket of a server that runs.
    ///   - judge: Is asked for each line, before the server gets it and after the reply to the one before it.
    /// - Throws: ``TestServerError`` when it cannot listen.
    public init(at path: String, judge: @escaping @Sendable (String) -> Verdict) throws {
        self.path = path
        self.judge = judge
        descriptor = unixSocket()
        let descriptor = descriptor
        guard rename(path, path + ".real") == 0,
            withUnixAddress(path, { bind(descriptor, $0, $1) == 0 && listen(descriptor, 16) == 0 })
        else {
            Glibc.close(descriptor)
            throw TestServerError("cannot listen at \(path): \(String(cString: strerror(errno)))")
        }
        Task { [self] in
            await DedicatedThread(name: "unix-relay").run {
                while case let client = accept(descriptor, nil, nil), client >= 0 {
                    Task { await self.serve(client) }
                }
                Glibc.close(descriptor)
            }
        }
    }

    /// Puts the server's socket back, unless it has made a new one, and lets open connections come to their end.
    public func close() {
        guard stop() else { return }
        rename(target, path)
    }

    /// Refuses connections from now on.
    ///
    /// - Returns: Whether it accepted them until now.
    private func stop() -> Bool {
        let wasOpen = open.withLock { descriptors in
            defer { descriptors = nil }
            return descriptors != nil
        }
        if wasOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
        return wasOpen
    }

    private func serve(_ client: Int32) async {
        let server = unixSocket()
        defer {
            Glibc.close(server)
            Glibc.close(client)
        }
        guard withUnixAddress(target, { connect(server, $0, $1) == 0 }) else { return }
        async let replies: Void = DedicatedThread(name: "relay-replies").run {
            pass(from: server, to: client) { $0 }
            shutdown(client, Int32(SHUT_WR))
        }
        await DedicatedThread(name: "relay-requests").run {
            self.passRequests(from: client, to: server)
            shutdown(server, Int32(SHUT_WR))
        }
        await replies
    }

    private func passRequests(from client: Int32, to server: Int32) {
        var rest: [UInt8] = []
        pass(from: client, to: server) { bytes in
            rest += bytes
            var lines: [UInt8] = []
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: rest[..<end], as: UTF8.self)
                rest.removeSubrange(...end)
                switch judge(line) {
                case .forward: lines += Array("\(line)\n".utf8)
                case .replace(let other): lines += Array("\(other)\n".utf8)
                case .end:
                    _ = stop()
                    for descriptor in [client, server] { shutdown(descriptor, Int32(SHUT_RDWR)) }
                    return nil
                }
            }
            return lines
        }
    }
}

private func unixSocket() -> Int32 { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0) }

private func withUnixAddress<Value>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
) -> Value {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// Carries bytes, as `change` makes them, until the end of the stream or until it gives nil.
private func pass(from source: Int32, to destination: Int32, change: ([UInt8]) -> [UInt8]?) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = recv(source, &buffer, buffer.count, 0), count > 0 {
        guard let bytes = change(Array(buffer[..<count])) else { return }
        var sent = 0
        while sent < bytes.count {
            let step = bytes.withUnsafeBytes { all in
                send(destination, all.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard step > 0 else { return }
            sent += step
        }
    }
}
