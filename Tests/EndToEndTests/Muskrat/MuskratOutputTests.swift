import Testing
import TestServers

extension EndToEnd {
    @Suite("what muskrat prints, and where it cannot", .timeLimit(.minutes(2)))
    struct MuskratOutputTests {
        /// Runs a program with its standard output redirected, `>/dev/full` for example.
        private func run(
            _ program: String, _ arguments: [String], _ redirection: String, broker: String
        ) async throws -> CommandResult {
            try await command(
                "sh",
                ["-c", #"program=$0; "$program" "$@" \#(redirection)"#, Repository.executable(program)] + arguments,
                environment: ["LIBRA_MUSKRAT_BROKERS": broker])
        }

        @Test("a full standard output is 74, and said")
        func full() async throws {
            try await withMuskrat { stand in
                try await stand.produce(numberedLines(1...3))
                _ = try await stand.consume()
                for arguments in [
                    ["keys"], ["cursors", "list"], ["cursors", "show", "A.B"], ["cursors", "set", "A.B", "2"],
                    ["cursors", "copy", "A.B", "default", "other"], ["verify"], ["retain", "--size", "1"],
                    ["consume", "A.B"], ["--help"], ["--version"],
                ] {
                    let result = try await run("muskrat", arguments, ">/dev/full", broker: stand.broker)
                    #expect(result.exitCode == 74, "\(arguments): \(result)")
                    #expect(
                        result.complaints.contains("muskrat: cannot write to standard output: No space left on device"),
                        "\(arguments): \(result)")
                }
                for (program, arguments) in [
                    ("hayrack", ["keygen", "\(stand.folder)/pair"]), ("libra_client", ["--version"]),
                ] {
                    let result = try await run(program, arguments, ">/dev/full", broker: stand.broker)
                    #expect(result.exitCode == 74, "\(program): \(result)")
                }
            }
        }

        @Test("a reader of the output that is gone ends a command quietly")
        func gone() async throws {
            try await withMuskrat { stand in
                try await stand.produce(["one"])
                for arguments in [["keys"], ["cursors", "list"], ["verify"]] {
                    let result = try await run(
                        "muskrat", arguments, "| true; exit 0", broker: stand.broker)
                    #expect(result.exitCode == 0 && result.complaints.isEmpty, "\(arguments): \(result)")
                }
            }
        }

        @Test("one cursor that cannot be read hides no other, and is 1", arguments: ["log", "legacy"])
        func unreadableCursor(layout: String) async throws {
            try await withMuskrat { stand in
                let way = ["--layout", layout]
                _ = try await stand.muskrat(["produce", "A.B"] + way, input: "one\n")
                for name in ["a", "b", "c"] {
                    _ = try await stand.muskrat(["consume", "A.B", "--name", name] + way)
                }
                try writeText("{\"version\":7}", to: "\(stand.folder)/messages/A/B/cursors/b")
                let list = try await stand.muskrat(["cursors", "list"] + way)
                #expect(list.exitCode == 1, "\(list)")
                let rows = list.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
                #expect(rows.dropFirst().map { $0[1] } == ["a", "b", "c"], "\(list)")
                #expect(rows.dropFirst().map { $0[2] == "unreadable" } == [false, true, false], "\(list)")
                #expect(list.complaints.contains("A/B/cursors/b"), "\(list)")
            }
        }

        @Test("who looks for messages in a folder that there is not makes none", arguments: ["log", "legacy"])
        func noFolder(layout: String) async throws {
            try await withMuskrat { stand in
                for arguments in [["consume", "A.B"], ["consume", "A.*"], ["keys"], ["cursors", "list"]] {
                    let result = try await stand.muskrat(arguments + ["--layout", layout])
                    #expect(result.exitCode == 0, "\(result)")
                    #expect(!exists("\(stand.folder)/messages"), "\(arguments)")
                }
            }
        }

        @Test("arguments that are not UTF-8, and paths with NUL, are refused with 64")
        func notUTF8() async throws {
            try await withMuskrat { stand in
                let script = #"exec "$0" produce A.B --broker "file://$1/$(printf 'm\374ll')" </dev/null"#
                let result = try await command(
                    "sh", ["-c", script, Repository.executable("muskrat"), stand.folder])
                #expect(result.exitCode == 64, "\(result)")
                #expect(result.complaints.contains("is not UTF-8"), "\(result)")
                let null = try await stand.muskrat(
                    "produce", "A.B", "--broker", "file://\(stand.folder)/messages%00more", input: "x\n")
                #expect(null.exitCode == 64, "\(null)")
                #expect(null.complaints.contains("NUL"), "\(null)")
                #expect(!exists("\(stand.folder)/messages"))
            }
        }
    }
}
