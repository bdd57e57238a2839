internal import Glibc
public import HAProxy
internal import SystemPackage

/// Where HAProxy and its files are, and how it is run.
public struct HAProxyDriverOptions: Sendable {
    /// Who starts, stops and reloads HAProxy.
    public enum Service: String, Sendable, CaseIterable {
        /// The operating system, by `service haproxy` through sudo.
        case ubuntu
        /// The same as ``ubuntu``.
        case debian
        /// The worker itself.
        case process
    }

    /// Who starts, stops and reloads HAProxy.
    public var service: Service
    /// Where the driver keeps what it must remember; it exists, and this process may write it.
    public var stateFolder: String
    /// Where a new configuration waits to be moved into place; not used with ``Service/process``.
    public var stagingFolder = "/var/spool/libra"
    /// The file that HAProxy reads.
    public var configurationFile: String
    /// The socket of the Runtime API.
    public var socket: String
    /// How the socket is reached.
    public var socketAccess = SocketAccess.auto
    /// Where HAProxy logs to.
    public var log: LogTarget
    /// Where what METRICS has to report is kept; its folder exists, and this process may write it.
    public var statsFile: String
    /// How long connections that are open at a reload, or of a node that is removed, may go on, in milliseconds.
    public var drainTimeout: Milliseconds
    /// Whether every change is a reload, also one that HAProxy could make while it runs.
    public var alwaysReloads = false
    /// From what nodes' cookies follow besides their balancer, address and port; without it anybody who sees a cookie can
    /// find out the address by trying.
    public var cookieKey: CookieKey?
    /// What is done when something else runs than was last asked for.
    public var reconciliation = Reconciliation.repair

    /// What is done when something else runs than was last asked for.
    public enum Reconciliation: String, Sendable, CaseIterable {
        /// It is logged, and what was asked for is restored.
        case repair
        /// It is logged.
        case report
        /// Nobody looks.
        case off
    }

    /// Creates options with the defaults of a service.
    ///
    /// - Parameters:
    ///   - service: Who starts, stops and reloads HAProxy.
    ///   - stateFolder: Where the driver keeps what it must remember.
    ///   - log: Where HAProxy logs to.
    ///   - drainTimeout: How long connections that are open at a reload may go on.
    public init(service: Service, stateFolder: String, log: LogTarget, drainTimeout: Milliseconds) {
        self.service = service
        self.stateFolder = stateFolder
        statsFile = stateFolder + "/haproxy.stats"
        self.log = log
        self.drainTimeout = drainTimeout
        switch service {
        case .ubuntu, .debian:
            configurationFile = "/etc/haproxy/haproxy.cfg"
            socket = "/var/run/haproxy-stats.socket"
        case .process:
            configurationFile = stateFolder + "/haproxy.cfg"
            socket = stateFolder + "/haproxy.sock"
        }
    }
}

extension HAProxyDriverOptions {
    static let executable = FilePath("/usr/sbin/haproxy")

    func makeService() -> any ServiceControl {
        switch service {
        case .ubuntu, .debian: SystemService(paths: systemPaths)
        case .process:
            ProcessService(
                folder: FilePath(stateFolder), configurationFile: FilePath(configurationFile),
                executable: Self.executable)
        }
    }

    var systemPaths: SystemService.Paths {
        SystemService.Paths(
            configuration: FilePath(configurationFile), staged: FilePath(stagingFolder).appending("haproxy.cfg"),
            executable: Self.executable)
    }

    /// The master that the service has under systemd, if this user may ask it.
    var systemMaster: MasterClient? {
        let socket = "/run/haproxy-master.sock"
        guard service != .process, access(socket, R_OK | W_OK) == 0 else { return nil }
        return MasterClient(socket: FilePath(socket))
    }

    /// Where a process that takes another's place finds what that knew of its servers.
    ///
    /// HAProxy reads it while it starts, as root where root starts it, so the folder of the worker will do. Who can write
    /// there can write HAProxy's configuration as well.
    var serverStateFile: String { stateFolder + "/servers.state" }

    func makeClient() -> RuntimeClient {
        RuntimeClient(socket: FilePath(socket), access: socketAccess)
    }

    func makeGlobal() throws(HAProxyError) -> Global {
        var global = Global()
        global.logTargets = [log]
        global.hardStopAfter = drainTimeout
        global.statsTimeout = try Milliseconds(60_000)
        // A process that takes another's place would check all at once where there are many servers and long delays.
        global.firstChecksWithin = try Milliseconds(60_000)
        var statsSocket = StatsSocket(path: try ConfigurationPath(socket), mode: 0o600)
        switch service {
        case .ubuntu, .debian:
            global.user = try Word("haproxy")
            global.group = try Word("haproxy")
            // Root's, unless the worker is to open it without sudo.
            if socketAccess != .socat, let name = userName() {
                statsSocket.user = try Word(name, as: "the worker's user")
            }
        case .process:
            // The master would end an older worker unread. None sees as many reloads before `hard-stop-after`.
            global.maximumReloads = try Count(max(50, Int(drainTimeout.value)))
        }
        global.statsSockets = [statsSocket]
        global.serverStateFile = try ConfigurationPath(serverStateFile)
        return global
    }

    /// The name of the user that this process is.
    private func userName() -> String? {
        getpwuid(geteuid()).flatMap { $0.pointee.pw_name }.map { String(cString: $0) }
    }
}
