import Gearman
import Glibc
import JSON
import LoadBalancing
import TestServers

/// The folders of a daemon that keeps off the machine's own, and how to start and end it.
struct DaemonFolders {
    let folder: String
    let user: String

    var pidFile: String { "\(folder)/run/worker.pid" }
    var logFile: String { "\(folder)/log/worker.log" }
    var stateFolder: String { "\(folder)/state" }
    var configuration: String { "\(folder)/libra.cfg" }

    /// Makes the folders, the user's own, and a configuration with `service = process` that names them.
    init(in folder: String, user: String = "haproxy", configuration text: String = "") async throws {
        self.folder = folder
        self.user = user
        for path in ["run", "log", "state"] { mkdir("\(folder)/\(path)", 0o755) }
        let (code, output) = try await run("chown", [user, "\(folder)/run", "\(folder)/log", "\(folder)/state"])
        guard code == 0 else { throw TestServerError(output) }
        try writeText(
            "[worker:haproxy]\nservice = process\nstatedir = \(stateFolder)\n[worker]\npid = \(pidFile)\n"
                + "logfile = \(logFile)\nuser = \(user)\nfunction = daemon-under-test\n\(text)\n",
            to: configuration)
    }

    /// Starts the daemon: the command returns when it is ready.
    func start(_ arguments: String...) async throws -> CommandResult {
        try await command(
            Repository.executable("libra_worker"), ["--config", configuration] + arguments, within: .seconds(40))
    }

    /// The daemon; nil when none lives.
    var pid: Int32? { livingProcess(in: pidFile) }
    var log: String { readText(logFile) }

    /// Ends the daemon and its HAProxy.
    func stop() async {
        await endProcess(namedIn: pidFile)
        await endProcess(namedIn: "\(stateFolder)/haproxy.pid")
    }
}

/// Gives `body` a daemon's folders, and ends the daemon afterwards, also when `body` throws.
func withDaemonFolders(configuration: String = "", _ body: (DaemonFolders) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        let daemon = try await DaemonFolders(in: folder, configuration: configuration)
        let result: Result<Void, any Error>
        do { result = .success(try await body(daemon)) } catch { result = .failure(error) }
        await daemon.stop()
        try result.get()
    }
}

/// What `/proc/PID/status` says in a field.
func statusField(_ name: String, of pid: Int32) -> [String] {
    let line = readText("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix("\(name):") }
    return line?.split(whereSeparator: { $0 == "\t" || $0 == " " }).dropFirst().map(String.init) ?? []
}

/// Where a symbolic link leads.
func linkTarget(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink(path, &buffer, buffer.count)
    guard count >= 0 else { return nil }
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The owner, group and mode of a file: `haproxy:haproxy 755`.
func ownership(_ path: String) async throws -> String {
    let (_, output) = try await run("stat", ["--format=%U:%G %a", path])
    return output.split(separator: "\n").first.map(String.init) ?? ""
}

/// This host's name: what its worker is called.
func thisHost() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    gethostname(&buffer, buffer.count - 1)
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A client of one job server on loopback.
func client(of server: GearmanServer) throws -> Client {
    try Client(servers: [try JobServer(host: "127.0.0.1", port: server.port)])
}

extension Client {
    /// Sends an object, and reads the one that comes back.
    func send(_ request: JSONValue, to function: String, within limit: Duration = .seconds(30)) async throws
        -> JSONValue
    {
        try JSONValue(
            parsing: try await submit(function: function, workload: request.bytes(), timeout: limit))
    }
}
