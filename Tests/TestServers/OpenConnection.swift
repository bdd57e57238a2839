import DedicatedThread
import Glibc

/// A TCP connection to a loopback port that stays open until it is told to close.
public final class OpenConnection: Sendable {
    private let descriptor: Int32

    /// Connects.
    ///
    /// - Throws: ``TestServerError`` when nobody listens there.
    public init(port: Int) throws {
        descriptor = connectToLoopback(port: port)
        guard descriptor >= 0 else { throw TestServerError("nobody listens at \(port)") }
    }

    /// Asks a ``NamedNode`` behind the connection for its name.
    ///
    /// - Returns: The name; nil when the connection has ended.
    public func askForName() async -> String? {
        await DedicatedThread(name: "client").run { [descriptor] in name(askedOver: descriptor) }
    }

    /// Asks a ``NamedNode`` for its name, and leaves the connection open for more.
    ///
    /// - Returns: The name; nil when the connection was closed instead.
    public func askForNameAndStay() async -> String? {
        let descriptor = descriptor
        return await DedicatedThread(name: "client").run { () -> String? in
            let request = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"
            _ = request.withCString { send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
            var patience = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            var (answer, buffer) = ("", [UInt8](repeating: 0, count: 4096))
            while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 {
                answer += String(decoding: buffer[..<count], as: UTF8.self)
                guard let end = answer.firstRange(of: "\r\n\r\n"), end.upperBound < answer.endIndex else { continue }
                return answer.hasPrefix("HTTP/1.1 200 ") ? String(answer[end.upperBound...]) : nil
            }
            return nil
        }
    }

    /// Ends the connection; it is called once.
    public func close() { _ = Glibc.close(descriptor) }
}
