import Glibc
import LoadBalancing
import Testing

@Suite struct NetworkCheckTests {
    @Test("a host that listens is reached, by address and by name")
    func reached() async throws {
        let listener = try #require(Listener())
        // The deadline is for a machine that is busy with other tests.
        #expect(await NetworkCheck(host: "127.0.0.1", port: listener.port, deadline: .seconds(60))())
        #expect(await NetworkCheck(host: "localhost", port: listener.port, deadline: .seconds(60))())
    }

    @Test("a port that nobody listens at is not")
    func refused() async throws {
        let port = try #require(Listener()).port
        #expect(await !NetworkCheck(host: "127.0.0.1", port: port)())
    }

    @Test("a name that is none is not", arguments: ["", "a b", "no-such-host.invalid"])
    func unknown(_ host: String) async {
        #expect(await !NetworkCheck(host: host, port: 80, deadline: .seconds(1))())
    }

    @Test("a host that does not answer is given up at the deadline")
    func deadline() async throws {
        // A backlog that is full makes the kernel drop further attempts, as a black hole would.
        let listener = try #require(Listener(backlog: 0))
        let fillers = (0..<4).map { _ in listener.beginConnection() }
        defer { fillers.forEach { close($0) } }
        let check = NetworkCheck(host: "127.0.0.1", port: listener.port, deadline: .milliseconds(200))
        let start = ContinuousClock.now
        #expect(await !check())
        // The kernel would go on for two minutes; the rest is for a machine that is busy with other tests.
        #expect(start.duration(to: .now) < .seconds(30))
    }

    @Test("a deadline in the past is not waited for")
    func noTime() async throws {
        let listener = try #require(Listener())
        #expect(await !NetworkCheck(host: "127.0.0.1", port: listener.port, deadline: .zero)())
    }
}

/// A listening socket at a free loopback port, closed with its owner.
private final class Listener {
    private let descriptor: Int32
    private var address = sockaddr_in()

    var port: Port { Port(exactly: Int(UInt16(bigEndian: address.sin_port))) ?? 1 }

    init?(backlog: Int32 = 8) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let isListening = withAddress { address, size in
            var size = size
            return bind(descriptor, address, size) == 0 && listen(descriptor, backlog) == 0
                && getsockname(descriptor, address, &size) == 0
        }
        guard isListening else { return nil }
    }

    deinit { close(descriptor) }

    /// Starts a connection and does not wait for it.
    func beginConnection() -> Int32 {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        _ = withAddress { connect(client, $0, $1) }
        return client
    }

    private func withAddress<Result>(_ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result) -> Result {
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }
}
