internal import DedicatedThread
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// What a command left behind.
struct CommandOutcome: Sendable {
    let command: String
    let isSuccess: Bool
    /// How it ended, for an error: `exit code 1`.
    let ending: String
    let output: [UInt8]
    let errorOutput: [UInt8]

    /// Everything that it said, HAProxy's alerts only where there are some.
    var words: String { HAProxyWords.summary(of: errorOutput + output) }

    /// The error to throw for a command that did not succeed.
    func failure(_ code: HAProxyError.Code, _ prefix: String? = nil) -> HAProxyError {
        let words = words
        let reason = words.isEmpty ? "it ended with \(ending) and said nothing" : words
        // sudo speaks for itself when it does not run what it is told to.
        if reason.contains("sudo: ") || reason.contains("is not allowed to ") {
            return HAProxyError(
                .permissionDenied,
                "sudo does not run '\(command)': \(reason); the sudoers file has to allow exactly this command")
        }
        return HAProxyError(code, "\(prefix ?? "'\(command)' failed"): \(reason)")
    }
}

/// Runs commands without a shell.
enum CommandRunner {
    /// What HAProxy and the tools are to see of the environment: nothing of this process's, which may hold secrets, and
    /// variables such as `NOTIFY_SOCKET` that mean something else to a child.
    private static let environment = Environment.custom([
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
    ])

    /// The most that is read of what a command says on its standard error.
    private static let wordsLimit = 4 << 20

    /// Runs a command through `sudo -n`, as the other `run` does.
    static func run(
        _ command: SudoCommand, input: [UInt8] = [], outputLimit: Int = wordsLimit, within limit: Duration
    ) async throws(HAProxyError) -> CommandOutcome {
        try await run("/usr/bin/sudo", command.sudoArguments, input: input, outputLimit: outputLimit, within: limit)
    }

    /// Runs a command to its end, whatever its exit code, or until `limit` has passed.
    static func run(
        _ executable: FilePath, _ arguments: [String], input: [UInt8] = [], outputLimit: Int = wordsLimit,
        within limit: Duration
    ) async throws(HAProxyError) -> CommandOutcome {
        let description = ([executable.string] + arguments).joined(separator: " ")
        let reader = try standardInput(input)
        return try await finish(executable, description, within: limit) {
            let result = try await Subprocess.run(
                .path(executable), arguments: Arguments(arguments), environment: environment, workingDirectory: "/",
                input: .fileDescriptor(reader, closeAfterSpawningProcess: true), output: .bytes(limit: outputLimit),
                error: .bytes(limit: wordsLimit))
            return CommandOutcome(
                command: description, isSuccess: result.terminationStatus.isSuccess,
                ending: ending(result.terminationStatus), output: result.standardOutput,
                errorOutput: result.standardError)
        }
    }

    /// Runs a command that leaves something else running, with `errors`, which is closed here, as its standard error.
    static func launch(
        _ executable: FilePath, _ arguments: [String], errors: FileDescriptor, within limit: Duration
    ) async throws(HAProxyError) {
        let description = ([executable.string] + arguments).joined(separator: " ")
        let outcome = try await finish(executable, description, within: limit) {
            let result = try await Subprocess.run(
                .path(executable), arguments: Arguments(arguments), environment: environment, workingDirectory: "/",
                input: .none, output: .discarded, error: .fileDescriptor(errors, closeAfterSpawningProcess: true))
            return CommandOutcome(
                command: description, isSuccess: result.terminationStatus.isSuccess,
                ending: ending(result.terminationStatus), output: [], errorOutput: [])
        }
        guard outcome.isSuccess else { throw outcome.failure(.startFailed) }
    }

    /// Starts a command that goes on for as long as its standard input and output, which are one socket, have another end.
    ///
    /// - Returns: That end, which the caller closes; when the command ends, so does the stream from there.
    static func connect(_ command: SudoCommand) throws(HAProxyError) -> FileDescriptor {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw HAProxyError(.inputOutput, "there is no socket for a command: \(describe(errno))")
        }
        let input = FileDescriptor(rawValue: ends[1])
        let copy = fcntl(ends[1], F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else {
            for end in ends { close(end) }
            throw HAProxyError(.inputOutput, "there is no socket for a command: \(describe(errno))")
        }
        Task {
            _ = try? await Subprocess.run(
                .path("/usr/bin/sudo"), arguments: Arguments(command.sudoArguments), environment: environment,
                workingDirectory: "/", input: .fileDescriptor(input, closeAfterSpawningProcess: true),
                output: .fileDescriptor(FileDescriptor(rawValue: copy), closeAfterSpawningProcess: true),
                error: .discarded)
        }
        return FileDescriptor(rawValue: ends[0])
    }

    /// A pipe that holds `bytes` and has no writer any more.
    ///
    /// Feeding a command while it runs would end this process by SIGPIPE when the command ends before it has read all.
    private static func standardInput(_ bytes: [UInt8]) throws(HAProxyError) -> FileDescriptor {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw HAProxyError(.inputOutput, "there is no pipe for a command: \(describe(errno))")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        // A pipe takes this much at once (pipe(7)); what is longer would wait for a reader that is not there yet.
        let isWritten = bytes.count <= 65_536 && write(ends[1], bytes, bytes.count) == bytes.count
        guard isWritten else {
            close(ends[0])
            throw HAProxyError(.inputOutput, "\(bytes.count) bytes do not fit into a pipe for a command")
        }
        return FileDescriptor(rawValue: ends[0])
    }

    /// Waits for the outcome of a command, until `limit` has passed.
    ///
    /// A cancelled task waits like any other: half of what a command does helps nobody. A command that still runs when
    /// the time is up is killed where that is permitted; root's are not, and are left to end by themselves.
    private static func finish(
        _ executable: FilePath, _ description: String, within limit: Duration,
        _ body: @escaping @Sendable () async throws -> CommandOutcome
    ) async throws(HAProxyError) -> CommandOutcome {
        let answer = FirstAnswer<Result<CommandOutcome, any Error>?>()
        let work = Task {
            do {
                answer.offer(.success(try await body()))
            } catch {
                answer.offer(.failure(error))
            }
        }
        let timer = Task {
            if (try? await Task.sleep(for: limit)) != nil { answer.offer(nil) }
        }
        defer { timer.cancel() }
        switch await answer.value() {
        case .success(let outcome):
            return outcome
        case .failure(let error):
            throw failure(error, executable)
        case nil:
            work.cancel()
            throw HAProxyError(.timedOut, "'\(description)' did not end within \(limit)")
        }
    }

    private static func ending(_ status: TerminationStatus) -> String {
        switch status {
        case .exited(let code): "exit code \(code)"
        case .signaled(let signal): "signal \(signal)"
        }
    }

    private static func failure(_ error: any Error, _ executable: FilePath) -> HAProxyError {
        guard let error = error as? SubprocessError else {
            return HAProxyError(.commandFailed, "\(executable) failed: \(error)", cause: error)
        }
        return switch error.code {
        case .executableNotFound:
            HAProxyError(.notInstalled, "\(executable) is not installed, or not executable", cause: error)
        case .outputLimitExceeded:
            HAProxyError(.replyTooLarge, "\(executable) said more than is read: \(error)", cause: error)
        default:
            HAProxyError(.commandFailed, "\(executable) could not be run: \(error)", cause: error)
        }
    }
}
