import Glibc
import Synchronization

/// A `rabbitmq-server` on free loopback ports, with all that it keeps in a folder.
///
/// It needs about four seconds to start: ``withRabbitMQ(isolation:_:)`` hands a running one from test to test.
public final class RabbitMQServer: Sendable {
    /// The port for AMQP.
    public let port: Int
    /// The port for AMQP over TLS; zero without TLS.
    public let tlsPort: Int
    private let folder: String
    private let node: String
    private let environment: [String: String]
    private let child = Mutex<ChildProcess?>(nil)
    /// `/usr/sbin/rabbitmq-server` would change to the user rabbitmq.
    private static let program = "/usr/lib/rabbitmq/bin/rabbitmq-server"

    private init(port: Int, tlsPort: Int, distributionPort: Int, folder: String) {
        self.port = port
        self.tlsPort = tlsPort
        self.folder = folder
        node = "libra\(port)@localhost"
        environment = [
            "HOME": folder, "RABBITMQ_NODENAME": node, "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
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
        let ports = try freePorts(3)
        let server = RabbitMQServer(
            port: ports[0], tlsPort: authority == nil ? 0 : ports[1], distributionPort: ports[2], folder: folder)
        var configuration = ["loopback_users.guest = true", "log.console = false"] + lines
        if let authority {
            configuration += [
                "listeners.ssl.default = 127.0.0.1:\(server.tlsPort)",
                // An address that its certificate does not name.
                "listeners.ssl.other = 127.0.0.2:\(server.tlsPort)",
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
        let log = "\(folder)/log/\(node).log"
        let startsBefore = Self.startsIn(log)
        let started = try await ChildProcess.start(Self.program, environment: environment, in: folder)
        child.withLock { $0 = started }
        try await eventually(within: .seconds(90), "rabbitmq-server on port \(port)") {
            guard started.isRunning else { throw TestServerError("rabbitmq-server ended: \(started.output)") }
            return Self.startsIn(log) > startsBefore
        }
    }

    private static func startsIn(_ log: String) -> Int { readText(log).matches(of: /Server startup complete/).count }

    /// Whether its virtual machine has not ended.
    public var isRunning: Bool { child.withLock { $0?.isRunning ?? false } }

    /// Evaluates an Erlang expression in it, such as `rabbit:is_running()`.
    ///
    /// It takes milliseconds; `rabbitmqctl` starts a virtual machine of its own each time, which takes seconds.
    ///
    /// - Returns: The value, as Erlang writes it, but binaries as `#Bin<byte,...>`.
    /// - Throws: ``TestServerError`` when it fails.
    @discardableResult
    public func evaluate(_ expression: String) async throws -> String {
        try await withTemporaryFolder { folder in
            try writeText("\(expression).\n", to: "\(folder)/expression")
            let (code, output) = try await run(
                "erl_call", ["-n", node, "-e"], environment: environment, input: "\(folder)/expression",
                within: .seconds(60))
            guard code == 0, let value = output.firstMatch(of: /(?s)\{ok, (.*)\}\s*$/)?.output.1 else {
                throw TestServerError("Erlang's \(expression): \(output)")
            }
            return String(value)
        }
    }

    /// Kills it, as a power failure would.
    public func kill() async {
        await child.withLock { $0 }?.kill()
    }

    /// Kills it without suspending, for the end of the process.
    func killAtExit() {
        child.withLock { $0 }?.killAtExit()
    }

    /// Has it hang: its connections stay, and nothing answers until ``thaw()``.
    public func freeze() { child.withLock { $0 }?.signal(SIGSTOP) }

    /// Has it go on after ``freeze()``.
    public func thaw() { child.withLock { $0 }?.signal(SIGCONT) }

    /// Ends the broker of the virtual machine; it goes on after ``startApplication()``.
    public func stopApplication() async throws { try await evaluate("rabbit:stop()") }

    /// Starts the broker again.
    public func startApplication() async throws { try await evaluate("rabbit:start()") }

    /// The names of the queues of all virtual hosts.
    public func queues() async throws -> [String] {
        let list = try await evaluate(
            #"string:join([binary_to_list(element(4, N)) || N <- rabbit_amqqueue:list_names()], " ")"#)
        return list.split { " \"[]".contains($0) }.map(String.init)
    }

    /// Deletes a queue, whoever it belongs to.
    public func deleteQueue(_ name: String) async throws {
        try await evaluate(
            """
            rabbit_amqqueue:with(rabbit_misc:r(<<"/">>, queue, <<"\(name)">>),
                fun(Q) -> rabbit_amqqueue:delete(Q, false, false, <<"test">>) end)
            """)
    }

    /// Makes it believe that memory is short, and waits until it blocks those who publish.
    public func raiseMemoryAlarm() async throws { try await setMemoryAlarm(true) }

    /// Ends what ``raiseMemoryAlarm()`` began.
    public func endMemoryAlarm() async throws { try await setMemoryAlarm(false) }

    private func setMemoryAlarm(_ isOn: Bool) async throws {
        try await evaluate("vm_memory_monitor:set_vm_memory_high_watermark(\(isOn ? "0.0001" : "0.6"))")
        try await eventually(within: .seconds(30), "the memory alarm to be \(isOn ? "on" : "off")") {
            try await (evaluate("rabbit_alarm:get_alarms()") == "[]") != isOn
        }
    }

    /// Deletes what tests have left, and ends an alarm.
    func reset() async throws {
        try await endMemoryAlarm()
        try await evaluate(
            #"""
            Who = <<"test">>,
            [rabbit_vhost:delete(Host, Who) || Host <- rabbit_vhost:list_names(), Host =/= <<"/">>],
            [rabbit_auth_backend_internal:delete_user(User, Who)
                || [{user, User} | _] <- rabbit_auth_backend_internal:list_users(), User =/= <<"guest">>],
            [rabbit_policy:delete(<<"/">>, proplists:get_value(name, Policy), Who) || Policy <- rabbit_policy:list()],
            [rabbit_amqqueue:delete(Queue, false, false, Who) || Queue <- rabbit_amqqueue:list()],
            [rabbit_exchange:delete(Name, false, Who) || {resource, _, exchange, Text} = Name
                <- rabbit_exchange:list_names(), Text =/= <<>>, binary:longest_common_prefix([Text, <<"amq.">>]) < 4],
            ok
            """#)
    }
}
