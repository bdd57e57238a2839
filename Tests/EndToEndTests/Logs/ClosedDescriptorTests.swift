import Glibc
import Testing
import TestServers

extension EndToEnd {
    @Suite("hayrack and zmqpush that are started with closed descriptors", .timeLimit(.minutes(2)))
    struct ClosedDescriptorTests {
        /// Runs a program after the shell has redirected something, `<&-` for example.
        private func run(
            _ program: String, _ arguments: [String], _ redirection: String
        ) async throws -> CommandResult {
            try await withTemporaryFolder { folder in
                let script = "exec 2>\"$0\"; exec \"$@\" \(redirection)"
                let (code, output) = try await TestServers.run(
                    "sh", ["-c", script, "\(folder)/complaints", Repository.executable(program)] + arguments)
                return CommandResult(exitCode: code, output: output, complaints: readText("\(folder)/complaints"))
            }
        }

        @Test("a closed standard input is at its end")
        func input() async throws {
            try await withTemporaryFolder { folder in
                let endpoint = "ipc://\(folder)/socket"
                for (program, arguments) in [("hayrack", ["serve", "--bind"]), ("zmqpush", ["--connect"])] {
                    let result = try await run(program, arguments + [endpoint, "--linger", "1s"], "<&-")
                    #expect(result.exitCode == 0, "\(program): \(result)")
                }
            }
        }

        @Test(
            "--confirm with a closed standard output is code 74, and said",
            arguments: [[], ["--delivery", "reliable"]])
        func confirmations(delivery: [String]) async throws {
            try await withTemporaryFolder { folder in
                let options = delivery + ["--spool", "\(folder)/spool", "--confirm", "--linger", "1h"]
                let endpoint = "ipc://\(folder)/socket"
                for (program, arguments) in [("hayrack", ["serve", "--bind"]), ("zmqpush", ["--connect"])] {
                    let result = try await run(program, arguments + [endpoint] + options, ">&-")
                    #expect(result.exitCode == 74 && result.complaints.contains("standard output"), "\(result)")
                }
            }
        }

        @Test("receive with a closed standard output is code 74, and said, before anything is received")
        func receive() async throws {
            try await withTemporaryFolder { folder in
                let result = try await run("hayrack", ["receive", "ipc://\(folder)/socket"], ">&-")
                #expect(result.exitCode == 74 && result.complaints.contains("standard output"), "\(result)")
            }
        }

        @Test("without any of the three, lines cannot come, and nothing is written into another's descriptor")
        func all() async throws {
            try await withTemporaryFolder { folder in
                let result = try await run(
                    "hayrack", ["serve", "--bind", "ipc://\(folder)/socket", "--linger", "1s"], "<&- >&- 2>&-")
                #expect(result.exitCode == 0 && result.output.isEmpty, "\(result)")
            }
        }
    }
}
