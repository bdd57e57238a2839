import DedicatedThread
import Glibc
import Synchronization

/// A unix socket that answers every request in one way: for what a real server does only when it is ill.
public final class UnixSocketStub: Sendable {
    /// What is done with a connection.
    public enum Behaviour: Sendable {
        /// These bytes are sent once a request has come, and the connection ends.
        case reply(String)
        /// Nothing is ever sent.
        case silence
        /// The connection ends at once.
        case hangUp
    }

    /// Where it listens.
    public let path: String
    private let descriptor: Int32
    private let silent = Mutex<[Int32]>([])

    /// Starts to listen; a thread serves one connection after the other until ``close()``.
    ///
    /// - Throws: ``TestServerError`` when it cannot listen.
    public init(at path: String, _ behaviour: Behaviour) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let descriptor = descriptor
        let isListening = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && listen(descriptor, 16) == 0
            }
        }
        guard isListening else {
            Glibc.close(descriptor)
            throw TestServerError("cannot listen at \(path): \(String(cString: strerror(errno)))")
        }
        let thread = DedicatedThread(name: "unix-stub")
        Task { [self] in await thread.run { self.serve(behaviour) } }
    }

    /// Stops listening.
    public func close() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        silent.withLock { descriptors in
            for descriptor in descriptors { Glibc.close(descriptor) }
            descriptors = []
        }
        unlink(path)
    }

    private func serve(_ behaviour: Behaviour) {
        while case let client = accept(descriptor, nil, nil), client >= 0 {
            switch behaviour {
            case .reply(let text):
                var buffer = [UInt8](repeating: 0, count: 4096)
                _ = recv(client, &buffer, buffer.count, 0)
                let bytes = Array(text.utf8)
                _ = send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                Glibc.close(client)
            case .silence:
                silent.withLock { $0.append(client) }
            case .hangUp:
                Glibc.close(client)
            }
        }
        Glibc.close(descriptor)
    }
}
