import DedicatedThread
import Glibc
import Synchronization

/// A process that a test starts, watches and ends.
///
/// It is killed by the kernel when the test process ends, however that happens.
public final class ChildProcess: Sendable {
    /// The process's id.
    public let pid: Int32
    private let outputPath: String
    private let status = Mutex<Status>(.running)

    private enum Status {
        case running
        case exited(Int32)
    }

    /// The kernel sends the parent-death signal when the thread that started a child ends, so one that never ends does it.
    private static let spawner = DedicatedThread(name: "spawner")

    private init(pid: Int32, outputPath: String) {
        self.pid = pid
        self.outputPath = outputPath
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - executable: A path, or a name that is looked up in `PATH`.
    ///   - arguments: Its arguments, without its name.
    ///   - environment: Variables to add to this process's own.
    ///   - input: A file for standard input; `/dev/null` by default.
    ///   - folder: Where a file for its standard output and standard error may be written.
    /// - Returns: The process, already watched.
    /// - Throws: ``TestServerError`` when it cannot be started.
    public static func start(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
        input: String = "/dev/null", in folder: String
    ) async throws -> ChildProcess {
        let outputPath = "\(folder)/output-\(counter.add(1, ordering: .relaxed).newValue).log"
        let pid = try await spawner.run { () throws(TestServerError) -> Int32 in
            try spawn(
                ["setpriv", "--pdeathsig", "KILL", "--", executable] + arguments, environment: environment,
                input: input, output: outputPath)
        }
        let child = ChildProcess(pid: pid, outputPath: outputPath)
        child.watch()
        return child
    }

    private static let counter = Atomic<Int>(0)

    /// What the process wrote so far to standard output and standard error.
    public var output: String { readText(outputPath) }

    /// Whether the process has not ended yet.
    public var isRunning: Bool {
        status.withLock { if case .running = $0 { true } else { false } }
    }

    /// Sends a signal, unless the process has ended.
    public func signal(_ number: Int32) {
        status.withLock { status in
            if case .running = status { _ = Glibc.kill(pid, number) }
        }
    }

    /// Asks the process to end, and kills it when it has not after `limit`.
    public func stop(within limit: Duration = .seconds(5)) async {
        signal(SIGTERM)
        if (try? await waitForExit(within: limit)) == nil { await kill() }
    }

    /// Kills the process and waits until it is gone, on this thread: at the exit of the test process.
    func killAtExit() {
        signal(SIGKILL)
        for _ in 0..<5_000 where isRunning { usleep(1_000) }
    }

    /// Kills the process and waits until it is gone.
    public func kill() async {
        signal(SIGKILL)
        _ = try? await waitForExit()
    }

    /// Waits for the end of the process.
    ///
    /// - Returns: Its exit code, or 128 and the number of the signal that ended it.
    @discardableResult
    public func waitForExit(within limit: Duration = .seconds(30)) async throws -> Int32 {
        var code: Int32 = 0
        try await eventually(within: limit, "the end of process \(pid); its output: \(output)") {
            status.withLock { status in
                guard case .exited(let exitCode) = status else { return false }
                code = exitCode
                return true
            }
        }
        return code
    }

    private func watch() {
        let pid = pid
        let reaper = DedicatedThread(name: "reaper")
        Task {
            await reaper.run {
                // The process stays a zombie, its id its own, until the lock that guards signals is held.
                var info = siginfo_t()
                while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
            }
            status.withLock { status in
                var raw: Int32 = 0
                waitpid(pid, &raw, 0)
                status = .exited(raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + (raw & 0x7f))
            }
        }
    }
}

/// Runs a program to its end.
///
/// - Returns: Its exit code and what it wrote to standard output and standard error.
public func run(
    _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
    input: String = "/dev/null", within limit: Duration = .seconds(30)
) async throws -> (exitCode: Int32, output: String) {
    try await withTemporaryFolder { folder in
        let child = try await ChildProcess.start(
            executable, arguments, environment: environment, input: input, in: folder)
        do {
            return (try await child.waitForExit(within: limit), child.output)
        } catch {
            await child.kill()
            throw error
        }
    }
}

/// The text of a file; empty when it cannot be read.
public func readText(_ path: String) -> String {
    guard let file = fopen(path, "re") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return String(decoding: bytes, as: UTF8.self)
}

/// Writes a file, replacing what was there.
public func writeText(_ text: String, to path: String, mode: UInt32 = 0o644) throws {
    guard let file = fopen(path, "we") else {
        throw TestServerError("cannot write \(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    let bytes = Array(text.utf8)
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count, fchmod(fileno(file), mode) == 0 else {
        throw TestServerError("cannot write \(path): \(String(cString: strerror(errno)))")
    }
}

private func spawn(
    _ command: [String], environment: [String: String], input: String, output: String
) throws(TestServerError) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    for descriptor in Int32(3)..<256 { posix_spawn_file_actions_addclose(&actions, descriptor) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var variables = environment
    for entry in ambientEnvironment() where variables[entry.name] == nil { variables[entry.name] = entry.value }
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var entries: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in arguments + entries { free(pointer) } }
    var pid: pid_t = 0
    let status = posix_spawnp(&pid, "setpriv", &actions, &attributes, &arguments, &entries)
    guard status == 0 else {
        throw TestServerError("cannot start \(command[4]): \(String(cString: strerror(status)))")
    }
    return pid
}

private func ambientEnvironment() -> [(name: String, value: String)] {
    readText("/proc/self/environ").split(separator: "\0").compactMap { entry in
        let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    }
}
