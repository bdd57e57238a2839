import JSON
import LoadBalancing
import TestServers

/// What a command did.
struct CommandResult: CustomStringConvertible {
    let exitCode: Int32
    /// Standard output.
    let output: String
    /// Standard error.
    let complaints: String

    /// The JSON values on standard output, one a line.
    func lines() throws -> [JSONValue] {
        try output.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
    }

    /// The JSON value that is all of standard output.
    func value() throws -> JSONValue { try JSONValue(parsing: Array(output.utf8)) }

    var description: String { "exit \(exitCode), output: \(output), complaints: \(complaints)" }
}

/// Runs a program to its end, and keeps standard output and standard error apart.
func command(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String = "/dev/null",
    within limit: Duration = .seconds(60)
) async throws -> CommandResult {
    try await withTemporaryFolder { folder in
        let (code, output) = try await run(
            "sh", ["-c", #"exec 2>"$0"; exec "$@""#, "\(folder)/complaints", program] + arguments,
            environment: environment, input: input, within: limit)
        return CommandResult(exitCode: code, output: output, complaints: readText("\(folder)/complaints"))
    }
}

/// Runs `libra_client`.
func libraClient(
    _ arguments: String..., environment: [String: String] = [:], input: String = "/dev/null"
) async throws -> CommandResult {
    try await command(
        Repository.executable("libra_client"), arguments, environment: environment, input: input)
}
