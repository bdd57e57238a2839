import JSON
import TestServers

/// `muskrat` with a folder of its own to keep messages in.
struct MuskratStand {
    let folder: String
    /// The broker that commands go to which name none.
    var broker: String { "file://\(folder)/messages" }

    /// Runs the command to its end.
    func muskrat(
        _ arguments: String..., input: String? = nil, environment: [String: String] = [:],
        within limit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        try await muskrat(arguments, input: input, environment: environment, within: limit)
    }

    /// Runs the command to its end, with lines for its standard input.
    func muskrat(
        _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
        within limit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        if let input { try writeText(input, to: "\(folder)/input") }
        return try await command(
            Repository.executable("muskrat"), arguments, environment: variables(environment),
            input: input == nil ? "/dev/null" : "\(folder)/input", within: limit)
    }

    /// Starts the command; its standard output goes to a file where one is named.
    func start(
        _ arguments: [String], input: String = "/dev/null", output: String? = nil, environment: [String: String] = [:]
    ) async throws -> ChildProcess {
        let program = Repository.executable("muskrat")
        guard let output else {
            return try await ChildProcess.start(
                program, arguments, environment: variables(environment), input: input, in: folder)
        }
        return try await ChildProcess.start(
            "sh", ["-c", #"out=$0; exec "$@" >>"$out""#, output, program] + arguments,
            environment: variables(environment), input: input, in: folder)
    }

    /// Starts the command as the leader of a process group of its own, as a shell with a terminal does.
    func startGroup(_ arguments: [String]) async throws -> ChildProcess {
        try await ChildProcess.start(
            "setsid", [Repository.executable("muskrat")] + arguments, environment: variables([:]), in: folder)
    }

    /// The environment of the commands.
    private func variables(_ more: [String: String]) -> [String: String] {
        ["LIBRA_MUSKRAT_BROKERS": broker].merging(more) { $1 }
    }

    /// Produces lines.
    func produce(_ lines: [String], to key: String = "A.B") async throws {
        let result = try await muskrat("produce", key, "--quiet", input: lines.map { $0 + "\n" }.joined())
        guard result.exitCode == 0 else { throw TestServerError("produce failed: \(result)") }
    }

    /// What a consumer gets.
    func consume(_ arguments: String..., key: String = "A.B") async throws -> [String] {
        let result = try await muskrat(["consume", key, "--quiet"] + arguments)
        guard result.exitCode == 0 else { throw TestServerError("consume failed: \(result)") }
        return result.output.split(separator: "\n").map(String.init)
    }
}

/// Gives `body` a stand.
func withMuskrat(_ body: (MuskratStand) async throws -> Void) async throws {
    try await withTemporaryFolder { try await body(MuskratStand(folder: $0)) }
}

/// `line 1`, `line 2`, and so on.
func numberedLines(_ range: ClosedRange<Int>) -> [String] { range.map { "line \($0)" } }
