import CommandKit
import Gearman
import HAProxy
import LoadBalancing
import LoadBalancingHAProxy
import Logging
import MessageLog
import SystemPackage

/// The settings of `libra_worker`: what stands in `etc/sample_libra.cfg`, in the environment and on the command line.
enum WorkerSettings {
    static let noDaemon = Setting("worker", "nodaemon", .boolean, default: false)
    static let debug = Setting("worker", "debug", .boolean, default: false)
    static let verbose = Setting("worker", "verbose", .boolean, default: false)
    static let pidFile = Setting("worker", "pid", .path)
    static let logFile = Setting("worker", "logfile", .path, inheritsGlobal: false)
    static let user = Setting("worker", "user", .word)
    static let group = Setting("worker", "group", .word)
    static let function = Setting("worker", "function", .word)
    static let driver = Setting("worker", "driver", .choice, default: DriverName.haproxy)
    static let statsPoll = Setting("worker", "stats_poll", .seconds(0...86_400), default: .seconds(300))
    static let connections = Setting("worker", "connections", .integer(1...32), default: 4)
    static let networkCheck = Setting(
        "worker", "network_check", .networkTarget, default: NetworkTarget(host: "google.com", port: 80))

    static let servers = Setting(
        "worker", "server", .list(of: .jobServer),
        otherPlaces: [SettingPlace("gearman", "servers")])
    static let reconnectSleep = Setting(
        "worker", "reconnect_sleep", .seconds(1...86_400), default: .seconds(60),
        otherPlaces: [SettingPlace("gearman", "reconnect_sleep")])
    static let keepalive = Setting("gearman", "keepalive", .boolean, default: true)
    static let keepaliveCount = Setting("gearman", "keepcnt", .integer(1...127), default: 3)
    static let keepaliveIdle = Setting("gearman", "keepidle", .integer(1...32_767), default: 60)
    static let keepaliveInterval = Setting("gearman", "keepintvl", .integer(1...32_767), default: 10)
    static let tlsAuthority = Setting("gearman", "ssl_ca", .path)
    static let tlsCertificate = Setting("gearman", "ssl_cert", .path)
    static let tlsKey = Setting("gearman", "ssl_key", .path)

    static let service = Setting(
        "worker:haproxy", "service", .choice, default: HAProxyDriverOptions.Service.ubuntu,
        otherPlaces: [SettingPlace("worker", "haproxy_service")])
    static let stateFolder = Setting("worker:haproxy", "statedir", .path)
    static let stagingFolder = Setting("worker:haproxy", "stagingdir", .path, default: "/var/spool/libra")
    static let configurationFile = Setting("worker:haproxy", "config", .path)
    static let socket = Setting("worker:haproxy", "socket", .path)
    static let socketAccess = Setting("worker:haproxy", "socket_access", .choice, default: SocketAccess.auto)
    static let statsFile = Setting("worker:haproxy", "statsfile", .path)
    static let log = Setting("worker:haproxy", "log", .logTarget, default: "/dev/log local0")
    static let drainTimeout = Setting("worker:haproxy", "drain_timeout", .seconds(1...86_400), default: .seconds(30))
    static let alwaysReload = Setting("worker:haproxy", "always_reload", .boolean, default: false)
    static let cookieKey = Setting("worker:haproxy", "cookie_key", .secret)
    static let reconcile = Setting(
        "worker:haproxy", "reconcile", .choice, default: HAProxyDriverOptions.Reconciliation.repair)

    static let broadcastURL = Setting("broadcast", "url", .secret)
    static let broadcastLevel = Setting("broadcast", "level", .choice, default: Logger.Level.info)

    static let eventBrokers = Setting("events", "brokers", .secret)
    static let eventKey = Setting("events", "key", .routingKey)
    static let eventSpool = Setting("events", "spool", .path)
    static let eventSpoolLimit = Setting(
        "events", "spool_limit", .byteSize(ByteSize(bytes: 16 << 20)...ByteSize(bytes: 1 << 40)),
        default: ByteSize(bytes: 64 << 20))

    static let schema = SettingsSchema(
        [
            noDaemon, debug, verbose, pidFile, logFile, user, group, function, driver, statsPoll, connections,
            networkCheck, servers, reconnectSleep, keepalive, keepaliveCount, keepaliveIdle, keepaliveInterval,
            tlsAuthority, tlsCertificate, tlsKey, service, stateFolder, stagingFolder, configurationFile, socket,
            socketAccess, statsFile, log, drainTimeout, alwaysReload, cookieKey, reconcile, broadcastURL,
            broadcastLevel, eventBrokers, eventKey, eventSpool, eventSpoolLimit,
        ],
        exemptVariables: ["LIBRA_TEST_"])

    // What holds where nothing is set, and the command's other options do not change it.
    static let defaultFile: FilePath = "/etc/libra/libra.cfg"
    static let defaultServer = "localhost:4730"
    static let daemonPIDFile: FilePath = "/var/run/libra/libra_worker.pid"
    static let daemonLogFile: FilePath = "/var/log/libra/libra_worker.log"
    static let defaultStateFolder: FilePath = "/var/lib/libra"
}

/// The drivers that there are.
enum DriverName: String, CaseIterable {
    case haproxy
}

/// What DIAGNOSTICS connects to.
struct NetworkTarget: Equatable {
    let host: String
    let port: LoadBalancing.Port

    init(host: String, port: LoadBalancing.Port) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT` or `[IPv6 address]:PORT`, where the host is written as that of a job server.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let server = try? JobServer(text),
            let number = Int(text[text.index(after: colon)...]), number == server.port,
            let port = LoadBalancing.Port(exactly: number)
        else { return nil }
        self.init(host: server.host, port: port)
    }
}

extension ValueKind where Value == JobServer {
    static var jobServer: ValueKind {
        .parsed("a job server: HOST or HOST:PORT, an IPv6 address in brackets") {
            try? JobServer($0)
        } format: {
            $0.description
        }
    }
}

extension ValueKind where Value == String {
    static var logTarget: ValueKind {
        .parsed("a log target: ADDRESS FACILITY, as in '/dev/log local0'") { text in
            (try? LogTarget(text)).map(\.description)
        } format: {
            $0
        }
    }
}

extension ValueKind where Value == RoutingKey {
    static var routingKey: ValueKind<RoutingKey> {
        .parsed("a routing key: words of ASCII letters, digits and _ - + = @, with dots between") {
            try? RoutingKey($0)
        } format: {
            $0.description
        }
    }
}

extension ValueKind where Value == NetworkTarget {
    static var networkTarget: ValueKind {
        .parsed("a HOST:PORT, an IPv6 address in brackets") {
            NetworkTarget($0)
        } format: {
            $0.host.contains(":") ? "[\($0.host)]:\($0.port)" : "\($0.host):\($0.port)"
        }
    }
}
