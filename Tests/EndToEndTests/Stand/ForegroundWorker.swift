import Glibc
import TestServers

/// A `libra_worker --nodaemon` that runs HAProxy itself, with its files in a folder of its own.
final class ForegroundWorker: Sendable {
    /// The function that it registers.
    let name: String
    let stateFolder: String
    private let child: ChildProcess

    private init(name: String, stateFolder: String, child: ChildProcess) {
        self.name = name
        self.stateFolder = stateFolder
        self.child = child
    }

    /// Starts a worker, and does not wait for more than the process.
    ///
    /// - Parameters:
    ///   - folder: Where its files may be.
    ///   - name: The function to register.
    ///   - ports: The loopback ports of its job servers.
    ///   - user: Whom to run it as; nil for the user of the tests.
    ///   - arguments: Further arguments.
    ///   - environment: Variables to add to its environment.
    ///   - configuration: Further lines of its configuration file, to follow `[worker:haproxy]`.
    /// - Returns: The worker.
    /// - Throws: `TestServerError` when it cannot be started.
    static func start(
        in folder: String, name: String, ports: [Int], user: String? = nil, arguments: [String] = [],
        environment: [String: String] = [:], configuration: String = ""
    ) async throws -> ForegroundWorker {
        let stateFolder = "\(folder)/state-\(name)"
        if !exists(stateFolder) { mkdir(stateFolder, 0o755) }
        let file = "\(folder)/\(name).cfg"
        try writeText("[worker:haproxy]\nstatedir = \(stateFolder)\n\(configuration)\n", to: file)
        var command = [
            Repository.executable("libra_worker"), "--nodaemon", "--debug", "--haproxy-service", "process",
            "--config", file, "--function", name,
        ]
        for port in ports { command += ["--server", "127.0.0.1:\(port)"] }
        command += arguments
        if let user {
            let (code, output) = try await run("chown", [user, stateFolder])
            guard code == 0 else { throw TestServerError(output) }
            // Where the sources are, another user may not be able to read.
            let program = "\(folder)/libra_worker"
            let (copied, words) = try await run("cp", [command[0], program])
            guard copied == 0 else { throw TestServerError(words) }
            command[0] = program
            command = ["setpriv", "--reuid=\(user)", "--clear-groups", "--pdeathsig=KILL"] + command
        }
        let child = try await ChildProcess.start(
            command[0], Array(command.dropFirst()), environment: environment, in: folder)
        return ForegroundWorker(name: name, stateFolder: stateFolder, child: child)
    }

    var pid: Int32 { child.pid }
    var isRunning: Bool { child.isRunning }
    /// All that it logged.
    var log: String { child.output }

    func signal(_ number: Int32) { child.signal(number) }
    func waitForExit(within limit: Duration = .seconds(20)) async throws -> Int32 {
        try await child.waitForExit(within: limit)
    }
    func kill() async { await child.kill() }

    /// The HAProxy that it started; nil when there is none.
    var haproxy: Int32? { livingProcess(in: "\(stateFolder)/haproxy.pid") }

    /// Ends the worker and the HAProxy that it started.
    func stop() async {
        await child.stop()
        await endProcess(namedIn: "\(stateFolder)/haproxy.pid")
    }
}

/// The living process whose number is in a file.
func livingProcess(in file: String) -> Int32? {
    let lines = readText(file).split(separator: "\n")
    guard let pid = lines.first.flatMap({ Int32($0) }), isAlive(pid) else { return nil }
    return pid
}

/// Whether there is such a process, and it is no zombie.
func isAlive(_ pid: Int32) -> Bool {
    let words = readText("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ")
    guard let state = words?.first else { return false }
    return state != "Z"
}

/// Ends the process whose number is in a file, and waits until it is gone.
func endProcess(namedIn file: String) async {
    guard let pid = livingProcess(in: file) else { return }
    kill(pid, SIGTERM)
    guard (try? await eventually(within: .seconds(5), "the end", { !isAlive(pid) })) == nil else { return }
    kill(pid, SIGKILL)
}
