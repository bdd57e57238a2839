import Synchronization

/// A `gearmand` on a free loopback port.
public final class GearmanServer: Sendable {
    /// The port where it listens.
    public let port: Int
    /// The address where it listens, `127.0.0.1` or `::1`.
    public let address: String
    private let folder: String
    private let arguments: [String]
    private let child: Mutex<ChildProcess?>

    private init(port: Int, address: String, folder: String, arguments: [String]) {
        self.port = port
        self.address = address
        self.folder = folder
        self.arguments = arguments
        child = Mutex(nil)
    }

    /// Starts a job server and waits until it accepts connections.
    ///
    /// - Parameters:
    ///   - folder: Where it may write.
    ///   - address: Where it listens.
    ///   - arguments: Further arguments.
    /// - Returns: The running job server; it ends with the test process at the latest.
    /// - Throws: ``TestServerError`` when it cannot be started.
    public static func start(
        in folder: String, address: String = "127.0.0.1", arguments: [String] = []
    ) async throws -> GearmanServer {
        let server = GearmanServer(port: try freePort(), address: address, folder: folder, arguments: arguments)
        try await server.start()
        return server
    }

    /// Starts it again after ``kill()`` or ``stop()``, on the same port.
    public func start() async throws {
        let started = try await ChildProcess.start(
            "gearmand",
            [
                "--listen", address, "--port", "\(port)", "--log-file", "stderr",
                "--pid-file", "\(folder)/gearmand-\(port).pid", "--threads", "1",
            ] + arguments, in: folder)
        child.withLock { $0 = started }
        try await eventually("gearmand on port \(port); its output: \(started.output)") {
            guard started.isRunning else { throw TestServerError("gearmand ended: \(started.output)") }
            // On ::1 its own word has to do; the TLS port takes connections like any other.
            return address == "127.0.0.1" ? accepts(port: port) : readText("/proc/net/tcp6").contains(hexadecimalPort)
        }
    }

    /// Sends it a signal; SIGSTOP makes it mute.
    public func signal(_ number: Int32) { child.withLock { $0 }?.signal(number) }

    /// Ends it in good order.
    public func stop() async { await child.withLock { $0 }?.stop() }

    /// Kills it.
    public func kill() async { await child.withLock { $0 }?.kill() }

    /// What it wrote.
    public var output: String { child.withLock { $0 }?.output ?? "" }

    private var hexadecimalPort: String {
        let digits = String(port, radix: 16, uppercase: true)
        return ":" + String(repeating: "0", count: 4 - digits.count) + digits + " "
    }
}

/// Starts a job server, and ends it after `body`, also when that throws.
public func withGearmanServer<Value>(
    address: String = "127.0.0.1", arguments: [String] = [], isolation: isolated (any Actor)? = #isolation,
    _ body: (GearmanServer) async throws -> Value
) async throws -> Value {
    try await withTemporaryFolder { folder in
        let server = try await GearmanServer.start(in: folder, address: address, arguments: arguments)
        do {
            let value = try await body(server)
            await server.kill()
            return value
        } catch {
            await server.kill()
            throw error
        }
    }
}
