import Synchronization

/// A `rabbitmq-server` on free loopback ports, with all that it keeps in a folder.
///
/// It needs about four seconds to start: share one among the tests of a suite.
public final class RabbitMQServer: Sendable {
    /// The port for AMQP.
    public let port: Int
    /// The port for AMQP over TLS; zero without TLS.
    public let tlsPort: Int
    private let folder: String
    private let environment: [String: String]
    private let child = Mutex<ChildProcess?>(nil)
    /// `/usr/sbin/rabbitmq-server` would change to the user rabbitmq.
    private static let program = "/usr/lib/rabbitmq/bin/rabbitmq-server"

    private init(port: Int, tlsPort: Int, distributionPort: Int, folder: String) {
        self.port = port
        self.tlsPort = tlsPort
        self.folder = folder
        environment = [
            "HOME": folder, "RABBITMQ_NODENAME": "libra\(port)@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": "\(port)", "RABBITMQ_DIST_PORT": "\(distributionPort)",
            "RABBITMQ_CONFIG_FILE": "\(folder)/rabbitmq", "RABBITMQ_MNESIA_BASE": "\(folder)/mnesia",
            "RABBITMQ_LOG_BASE": "\(folder)/log", "RABBITMQ_ENABLED_PLUGINS_FILE": "\(folder)/plugins",
            "RABBITMQ_PID_FILE": "\(folder)/pid",
            // Lets the script become the virtual machine in place of watching over it.
            "RUNNING_UNDER_SYSTEMD": "1",
        ]
    }

    /// Starts a broker and waits until it serves.
    ///
    /// - Parameters:
    ///   - folder: Where it keeps everything.
    ///   - authority: The certificates for a TLS port, where clients may show one and have to if `asksForCertificate`.
    ///   - asksForCertificate: Whether clients need a certificate on the TLS port.
    ///   - lines: Further lines of its configuration.
    /// - Returns: The running broker; it ends with the test process at the latest.
    /// - Throws: ``TestServerError`` when it cannot be started.
    public static func start(
        in folder: String, authority: TestAuthority? = nil, asksForCertificate: Bool = false, lines: [String] = []
    ) async throws -> RabbitMQServer {
        let server = RabbitMQServer(
            port: try freePort(), tlsPort: authority == nil ? 0 : try freePort(), distributionPort: try freePort(),
            folder: folder)
        var configuration = ["loopback_users.guest = true", "log.console = false"] + lines
        if let authority {
            configuration += [
                "listeners.ssl.default = 127.0.0.1:\(server.tlsPort)",
                "ssl_options.cacertfile = \(authority.certificate)",
                "ssl_options.certfile = \(authority.server.certificate)",
                "ssl_options.keyfile = \(authority.server.key)",
                "ssl_options.verify = verify_peer", "ssl_options.fail_if_no_peer_cert = \(asksForCertificate)",
            ]
        }
        try writeText(configuration.map { $0 + "\n" }.joined(), to: "\(folder)/rabbitmq.conf")
        try writeText("[].\n", to: "\(folder)/plugins")
        try await server.start()
        return server
    }

    /// Starts it again after ``kill()``, with what it had on disk.
    public func start() async throws {
        let started = try await ChildProcess.start(Self.program, environment: environment, in: folder)
        child.withLock { $0 = started }
        try await eventually(within: .seconds(60), "rabbitmq-server on port \(port)") {
            guard started.isRunning else { throw TestServerError("rabbitmq-server ended: \(started.output)") }
            return accepts(port: port)
        }
        try await control("await_startup")
    }

    /// Runs `rabbitmqctl` against it.
    ///
    /// - Returns: What it wrote.
    /// - Throws: ``TestServerError`` when it fails.
    @discardableResult
    public func control(_ arguments: String...) async throws -> String {
        let (code, output) = try await run(
            "/usr/lib/rabbitmq/bin/rabbitmqctl", ["-q", "-n", environment["RABBITMQ_NODENAME"] ?? ""] + arguments,
            environment: environment, within: .seconds(60))
        guard code == 0 else { throw TestServerError("rabbitmqctl \(arguments): \(output)") }
        return output
    }

    /// Kills it, as a power failure would.
    public func kill() async {
        await child.withLock { $0 }?.kill()
    }

    /// Ends the broker of the virtual machine; it goes on after ``startApplication()``.
    public func stopApplication() async throws { try await control("stop_app") }

    /// Starts the broker again.
    public func startApplication() async throws { try await control("start_app") }
}

/// Starts a broker, and ends it after `body`, also when that throws.
public func withRabbitMQ<Value>(
    authority: TestAuthority? = nil, asksForCertificate: Bool = false, lines: [String] = [],
    isolation: isolated (any Actor)? = #isolation, _ body: (RabbitMQServer) async throws -> Value
) async throws -> Value {
    try await withTemporaryFolder { folder in
        let server = try await RabbitMQServer.start(
            in: folder, authority: authority, asksForCertificate: asksForCertificate, lines: lines)
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
