import Glibc
import HAProxy
import LoadBalancing
import Logging
import SystemPackage
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// A driver's folder, with a real HAProxy in it (`service = process`), as one host would have it.
struct DriverStand {
    let folder: String

    /// A driver as a worker would make it at its start, perhaps with something put between it and HAProxy; several may be
    /// made one after the other.
    func driver(
        log: String = "127.0.0.1:9 local0", alwaysReloads: Bool = false, drainTimeout: Int = 30_000,
        reconciliation: HAProxyDriverOptions.Reconciliation = .repair, statsFile: String? = nil,
        cookieKey: CookieKey? = nil,
        logger: Logger = Self.logger,
        wrap: (any ServiceControl) -> any ServiceControl = { $0 }
    ) async throws -> HAProxyDriver {
        var options = HAProxyDriverOptions(
            service: .process, stateFolder: folder, log: try LogTarget(log),
            drainTimeout: try Milliseconds(drainTimeout))
        options.alwaysReloads = alwaysReloads
        options.reconciliation = reconciliation
        options.cookieKey = cookieKey
        if let statsFile { options.statsFile = statsFile }
        return try await HAProxyDriver(options: options, service: wrap(options.makeService()), logger: logger)
    }

    var service: ProcessService { ProcessService(folder: FilePath(folder)) }
    var configurationFile: String { folder + "/haproxy.cfg" }
    var configuration: String { readText(configurationFile) }
    var hasPendingChange: Bool { access(folder + "/pending.json", F_OK) == 0 }

    var socket: String { folder + "/haproxy.sock" }
    /// The Runtime API, as somebody else on the host has it.
    var runtime: RuntimeClient { RuntimeClient(socket: FilePath(socket), access: .direct) }

    /// The process that answers on the Runtime API socket.
    func processID() async throws -> Int32 { try await runtime.info().processID }

    /// What HAProxy says of its servers, a line each.
    func servers() async throws -> Set<String> {
        Set(
            try await runtime.serversState().rows.map {
                "\($0.backend)/\($0.name) \($0.address):\($0.port) \($0.weight) \($0.adminState)"
            })
    }

    /// What would change if somebody touched HAProxy or its file.
    func fingerprint() async throws -> Fingerprint {
        var information = stat()
        guard stat(configurationFile, &information) == 0 else { throw TestServerError("no \(configurationFile)") }
        return Fingerprint(
            process: try await processID(), inode: UInt(information.st_ino), seconds: information.st_mtim.tv_sec,
            nanoseconds: information.st_mtim.tv_nsec)
    }

    struct Fingerprint: Equatable {
        let process: Int32
        let inode: UInt
        let seconds: Int
        let nanoseconds: Int
    }

    /// Kills HAProxy's master and worker as the kernel does when memory runs out.
    func killHAProxy() async throws {
        let list = try await service.master.processes()
        let processes = [list.master.processID] + (list.workers + list.oldWorkers).map(\.processID)
        for process in processes { kill(process, SIGKILL) }
        // A killed process has its sockets until it is a zombie, or gone.
        try await eventually("HAProxy's end") {
            processes.allSatisfy { process in
                let status = readText("/proc/\(process)/stat")
                return status.isEmpty || status.contains(") Z ")
            }
        }
    }

    static let logger = Logger(label: "driver", factory: { _ in SwiftLogNoOpLogHandler() })
}

/// Gives `body` a folder of its own, and ends the HAProxy that may run there afterwards, also when `body` throws.
func withDriverStand<Value>(
    in folder: String? = nil, isolation: isolated (any Actor)? = #isolation,
    _ body: (DriverStand) async throws -> Value
) async throws -> Value {
    guard let folder else {
        // A disk that stands still for a moment is none of these tests' business, and drain times run meanwhile.
        return try await withTemporaryFolder(inMemory: true) { try await withDriverStand(in: $0, body) }
    }
    let stand = DriverStand(folder: folder)
    let result: Result<Value, any Error>
    do { result = .success(try await body(stand)) } catch { result = .failure(error) }
    try await stand.service.stop()
    return try result.get()
}

/// Waits until nobody listens at a loopback port any more: a process that was replaced stops to when it is told to, and
/// whoever told it does not wait for that.
func untilRefused(port: Int, _ what: String = "") async throws {
    try await eventually("refused connections \(what)") { !accepts(port: port) }
}

/// A balancer on loopback.
func balancer(
    _ protocol: BalancerProtocol = .http, id: BalancerID? = nil, at address: BindAddress = "127.0.0.1", port: Int,
    _ nodes: [Node]
) throws -> LoadBalancer {
    try LoadBalancer(
        id: id, protocol: `protocol`, address: address, port: try portNumber(port), nodes: nodes)
}

/// A port as an UPDATE has it.
func portNumber(_ number: Int) throws -> LoadBalancing.Port {
    guard let port = LoadBalancing.Port(exactly: number) else { throw TestServerError("\(number) is no port") }
    return port
}

extension NamedNode {
    /// This node for a balancer, with its name as its identifier.
    func node(_ condition: Condition = .enabled, isBackup: Bool = false) throws -> Node {
        Node(
            key: .id(try #require(NodeID(validating: name))), address: "127.0.0.1",
            port: try portNumber(port), isBackup: isBackup, condition: condition)
    }
}

extension GreetingNode {
    /// This node for a balancer.
    func node() throws -> Node { Node(key: .id("1"), address: "127.0.0.1", port: try portNumber(port)) }
}

/// The names that answer at a port to so many requests, one after the other; those not answered count as `-`.
func names(at port: Int, address: String = "127.0.0.1", requests: Int = 8) async -> Set<String> {
    var names: Set<String> = []
    for _ in 0..<requests { names.insert(await askForName(port: port, at: address) ?? "-") }
    return names
}

/// A node that nobody has to listen for.
func node(
    _ id: NodeID, _ address: NodeAddress = "127.0.0.1", port: LoadBalancing.Port = 1,
    weight: LoadBalancing.Weight = 1, _ condition: Condition = .enabled
) -> Node {
    Node(key: .id(id), address: address, port: port, weight: weight, condition: condition)
}
