import Glibc
import HAProxy
import SystemPackage
import TestServers
import Testing

/// HAProxy in a folder of its own, with a frontend `web-in` and a backend `web`.
struct HAProxyStand {
    let folder: String
    let service: ProcessService
    /// A client of the worker's stats socket.
    let runtime: RuntimeClient
    /// The loopback port of the frontend.
    let port: Int

    static let frontend = try? ProxyName("web-in")

    init(folder: String) throws {
        self.folder = folder
        service = ProcessService(folder: FilePath(folder), timeout: .seconds(20))
        runtime = RuntimeClient(socket: FilePath("\(folder)/haproxy.sock"), access: .direct, timeout: .seconds(5))
        port = try freePort()
    }

    /// A configuration with these servers behind the frontend.
    func configuration(_ servers: [Server] = []) throws -> Configuration {
        var configuration = Configuration()
        configuration.header = [try Comment("Written by a test.")]
        configuration.global.statsSockets = [StatsSocket(path: try ConfigurationPath("\(folder)/haproxy.sock"))]
        configuration.global.hardStopAfter = try Milliseconds(10_000)
        configuration.global.maximumReloads = try Count(10)
        configuration.defaults.mode = .http
        configuration.defaults.logsGlobally = false
        configuration.defaults.timeouts = Timeouts(
            client: try Milliseconds(10_000), connect: try Milliseconds(2000), server: try Milliseconds(10_000))
        configuration.frontends = [
            Frontend(
                name: try ProxyName("web-in"), mode: .http,
                binds: [Bind(try Address("127.0.0.1"), port: try Port(port))],
                defaultBackend: try ProxyName("web"))
        ]
        var backend = Backend(name: try ProxyName("web"), mode: .http, servers: servers)
        backend.cookie = CookiePersistence(name: try Word("SERVERID"), dynamicKey: try Word("a-secret"))
        configuration.backends = [backend]
        return configuration
    }

    /// A server at a loopback port.
    func server(_ name: String, port: Int, isChecked: Bool = false) throws -> Server {
        Server(
            name: try ServerName(name), address: try Address("127.0.0.1"), port: try Port(port),
            // A check has no longer than the time to the next: one that is late by that takes no server out of service.
            check: isChecked
                ? ServerCheck(interval: try Milliseconds(50), rise: try Count(1), fall: try Count(10)) : nil
        )
    }

    /// Puts a configuration in place and starts HAProxy with it.
    func start(_ configuration: Configuration) async throws {
        try await service.install(try configuration.rendered())
        try await service.start()
    }

    /// Puts a configuration in place and reloads.
    func reload(_ configuration: Configuration) async throws {
        try await service.install(try configuration.rendered())
        try await service.reload()
    }

    /// What the balancer answers; nil when it does not.
    func get(_ options: [String] = []) async throws -> String? {
        let (code, output) = try await run("curl", ["-s", "-m", "5"] + options + ["http://127.0.0.1:\(port)/"])
        return code == 0 ? output.split(separator: "\n").last.map(String.init) ?? "" : nil
    }

    /// The process ids of the master and its workers.
    func processIDs() async throws -> [Int32] {
        let list = try await service.master.processes()
        return [list.master.processID] + (list.workers + list.oldWorkers).map(\.processID)
    }
}

/// Runs `body` with HAProxy's folder, and ends HAProxy afterwards, also when `body` throws.
func withHAProxyStand<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: (HAProxyStand) async throws -> Value
) async throws -> Value {
    try await withTemporaryFolder { folder in
        let stand = try HAProxyStand(folder: folder)
        do {
            let value = try await body(stand)
            try await stand.service.stop()
            return value
        } catch {
            do { try await stand.service.stop() } catch { Issue.record(error) }
            throw error
        }
    }
}

/// Whether a process runs and is no zombie.
func isAlive(_ processID: Int32) -> Bool {
    let status = readText("/proc/\(processID)/stat")
    guard let end = status.lastIndex(of: ")") else { return false }
    return !status[end...].hasPrefix(") Z")
}
