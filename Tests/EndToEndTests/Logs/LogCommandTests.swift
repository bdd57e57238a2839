import Glibc
import Testing
import TestServers

extension EndToEnd {
    @Suite("hayrack and zmqpush as an operator runs them", .timeLimit(.minutes(3)))
    struct LogCommandTests {
        private func hayrack(
            _ arguments: [String], input: String = "/dev/null", in folder: String
        ) async throws -> ChildProcess {
            try await ChildProcess.start(Repository.executable("hayrack"), arguments, input: input, in: folder)
        }

        private func zmqpush(
            _ arguments: [String], input: String = "/dev/null", in folder: String
        ) async throws -> ChildProcess {
            try await ChildProcess.start(Repository.executable("zmqpush"), arguments, input: input, in: folder)
        }

        private func lines(_ count: Int) -> String { (1...count).map { "line \($0)\n" }.joined() }

        @Test("what is served is received in whole and in order", arguments: ["push", "reliable"])
        func both(delivery: String) async throws {
            try await withTemporaryFolder { folder in
                try writeText(lines(20_000) + "unterminated", to: "\(folder)/in")
                let endpoint = "ipc://\(folder)/socket"
                let receiver = try await hayrack(
                    ["receive", endpoint, "--delivery", delivery, "--count", "20001", "--output", "\(folder)/out"],
                    in: folder)
                let server = try await hayrack(
                    ["serve", "--bind", endpoint, "--delivery", delivery], input: "\(folder)/in", in: folder)
                #expect(try await server.waitForExit(within: .seconds(40)) == 0, "\(server.output)")
                #expect(
                    try await receiver.waitForExit(within: .seconds(30)) == 0, "\(receiver.output) \(server.output)")
                #expect(server.output.contains("20001 lines in, 20001 out"), "\(server.output)")
                #expect(readText("\(folder)/out") == readText("\(folder)/in") + "\n")
            }
        }

        @Test("ids name the sender and number the lines")
        func ids() async throws {
            try await withTemporaryFolder { folder in
                try writeText("a\nb\n", to: "\(folder)/in")
                let endpoint = "ipc://\(folder)/socket"
                let receiver = try await hayrack(
                    [
                        "receive", endpoint, "--delivery", "reliable", "--count", "2", "--ids", "--output",
                        "\(folder)/out",
                    ],
                    in: folder)
                let server = try await hayrack(
                    ["serve", "--bind", endpoint, "--delivery", "reliable"], input: "\(folder)/in", in: folder)
                #expect(try await receiver.waitForExit() == 0)
                #expect(try await server.waitForExit() == 0)
                let ends = readText("\(folder)/out").split(separator: "\n").map { $0.drop { $0 != ":" } }
                #expect(ends == [":1\ta", ":2\tb"])
            }
        }

        @Test("lines that no receiver takes within the linger are counted, and the exit code is 1")
        func leftOver() async throws {
            try await withTemporaryFolder { folder in
                try writeText("a\nb\nc\n", to: "\(folder)/in")
                let result = try await command(
                    Repository.executable("zmqpush"),
                    ["--connect", "tcp://127.0.0.1:\(try freePort())", "--linger", "100ms"], input: "\(folder)/in")
                #expect(result.exitCode == 1, "\(result)")
                #expect(result.complaints.contains("3 lines are left over"), "\(result)")
                #expect(result.output.hasPrefix("Processed 0 messages in "), "\(result)")
            }
        }

        @Test("SIGTERM and SIGINT hand on what the pipe holds, and exit with 0", arguments: [SIGTERM, SIGINT])
        func stopping(signal: Int32) async throws {
            try await withTemporaryFolder { folder in
                let endpoint = "ipc://\(folder)/socket"
                let input = try HeldInput(in: folder)
                let receiver = try await hayrack(["receive", endpoint, "--output", "\(folder)/out"], in: folder)
                let server = try await hayrack(["serve", "--bind", endpoint], input: input.path, in: folder)
                input.write("first\n")
                try await eventually("the first line") { readText("\(folder)/out") == "first\n" }
                input.write("second\nthird")
                server.signal(signal)
                #expect(try await server.waitForExit() == 0, "\(server.output)")
                try await eventually("the rest") { readText("\(folder)/out") == "first\nsecond\nthird\n" }
                receiver.signal(signal)
                #expect(try await receiver.waitForExit() == 0, "\(receiver.output)")
            }
        }

        @Test("SIGHUP opens the log again, SIGUSR1 asks for a report, and neither ends anything")
        func hangup() async throws {
            try await withTemporaryFolder { folder in
                let endpoint = "ipc://\(folder)/socket"
                let input = try HeldInput(in: folder)
                let log = "\(folder)/hayrack.log"
                let server = try await hayrack(
                    ["serve", "--bind", endpoint, "--logfile", log], input: input.path, in: folder)
                let receiver = try await hayrack(["receive", endpoint, "--output", "\(folder)/out"], in: folder)
                input.write("one\n")
                try await eventually("a line") { readText("\(folder)/out") == "one\n" }
                rename(log, log + ".1")
                rename("\(folder)/out", "\(folder)/out.1")
                server.signal(SIGHUP)
                receiver.signal(SIGHUP)
                try await eventually("new files") { exists(log) && exists("\(folder)/out") }
                server.signal(SIGUSR1)
                receiver.signal(SIGUSR1)
                try await eventually("reports") {
                    readText(log).contains("1 lines in, 1 out") && receiver.output.contains("1 messages written")
                }
                input.write("two\n")
                try await eventually("the next line") { readText("\(folder)/out") == "two\n" }
                #expect(server.isRunning && receiver.isRunning && server.output.isEmpty, "\(server.output)")
                await server.stop()
                await receiver.stop()
            }
        }

        @Test("receive that cannot write ends at the first SIGTERM")
        func blockedReceiver() async throws {
            try await withTemporaryFolder { folder in
                let endpoint = "ipc://\(folder)/socket"
                try writeText(lines(200_000), to: "\(folder)/in")
                let output = try HeldInput(in: folder)
                let receiver = try await hayrack(["receive", endpoint, "--output", output.path], in: folder)
                let server = try await hayrack(["serve", "--bind", endpoint], input: "\(folder)/in", in: folder)
                // How many bytes fill a pipe depends on how they were written, as one that starts a page may leave the
                // one before half empty. It is full when poll(2) says so and it stays as it is.
                var before = 0
                try await eventually(within: .seconds(30), "a full pipe") {
                    try await Task.sleep(for: .milliseconds(300))
                    defer { before = output.waiting }
                    return output.isFull && output.waiting == before
                }
                receiver.signal(SIGTERM)
                let code = try await receiver.waitForExit()
                #expect(code == 74 && receiver.output.contains("could not be written"), "\(code) \(receiver.output)")
                await server.kill()
            }
        }

        @Test(
            "CURVE lets in who is on the list, and a wrong key is said on both sides", arguments: ["push", "reliable"])
        func curve(delivery: String) async throws {
            try await withTemporaryFolder { folder in
                let program = Repository.executable("hayrack")
                for name in ["server", "friend", "stranger"] {
                    #expect(try await command(program, ["keygen", "\(folder)/\(name)"]).exitCode == 0)
                }
                let endpoint = "tcp://127.0.0.1:\(try freePort())"
                let input = try HeldInput(in: folder)
                let server = try await hayrack(
                    [
                        "serve", "--bind", endpoint, "--delivery", delivery, "--curve-key", "\(folder)/server.key",
                        "--curve-allow", "\(folder)/friend.pub",
                    ], input: input.path, in: folder)
                func receive(_ name: String) async throws -> ChildProcess {
                    try await hayrack(
                        [
                            "receive", endpoint, "--delivery", delivery, "--curve-key", "\(folder)/\(name).key",
                            "--curve-server", "\(folder)/server.pub", "--count", "1", "--output",
                            "\(folder)/\(name).out",
                        ], in: folder)
                }
                let stranger = try await receive("stranger")
                try await eventually("warnings") {
                    server.output.contains(" warning ") && stranger.output.contains(" warning ")
                }
                input.write("secret\n")
                let friend = try await receive("friend")
                #expect(try await friend.waitForExit() == 0, "\(friend.output)")
                #expect(readText("\(folder)/friend.out") == "secret\n" && readText("\(folder)/stranger.out").isEmpty)
                await stranger.stop()
                await server.stop()
            }
        }

        @Test("with --confirm, OK is said once at the start and then for each line, and nothing else")
        func confirmations() async throws {
            try await withTemporaryFolder { folder in
                try writeText(lines(10), to: "\(folder)/in")
                let result = try await command(
                    Repository.executable("zmqpush"),
                    [
                        "--connect", "tcp://127.0.0.1:\(try freePort())", "--spool", "\(folder)/spool", "--confirm",
                        "--linger", "0s",
                    ], input: "\(folder)/in")
                #expect(result.output == String(repeating: "OK\n", count: 11), "\(result)")
                #expect(result.complaints.contains("Processed "), "\(result)")
                #expect(result.exitCode == 0, "\(result)")
            }
        }

        @Test("with --confirm, an output that nobody reads does not keep the first SIGTERM from ending it")
        func unreadConfirmations() async throws {
            try await withTemporaryFolder { folder in
                // Their confirmations are more than a pipe holds, but they are not.
                let input = try HeldInput(in: folder)
                input.write(String(repeating: "\n", count: 30_000))
                let unread = try HeldInput(in: folder)
                let options = [
                    "--connect", "ipc://\(folder)/socket", "--spool", "\(folder)/spool", "--confirm",
                    "--linger", "300ms",
                ]
                let script = #"out="$0"; exec "$@" >"$out""#
                let child = try await ChildProcess.start(
                    "sh", ["-c", script, unread.path, Repository.executable("zmqpush")] + options,
                    input: input.path, in: folder)
                try await eventually(within: .seconds(30), "a full pipe") { unread.isFull }
                child.signal(SIGTERM)
                #expect(try await child.waitForExit() == 0, "\(child.output)")
                let next = try await command(
                    Repository.executable("zmqpush"), options.filter { $0 != "--confirm" })
                #expect(next.complaints.contains("30000 lines from before"), "\(next)")
            }
        }

        @Test("what a spool took is sent by the next process after kill -9, in order")
        func killedWithSpool() async throws {
            try await withTemporaryFolder { folder in
                let endpoint = "ipc://\(folder)/socket"
                let input = try HeldInput(in: folder)
                let arguments = [
                    "serve", "--bind", endpoint, "--delivery", "reliable", "--spool", "\(folder)/spool", "--confirm",
                ]
                let first = try await hayrack(arguments, input: input.path, in: folder)
                input.write(lines(1000))
                try await eventually("confirmations") {
                    first.output.split(separator: "\n").count(where: { $0 == "OK" }) == 1001
                }
                await first.kill()
                let second = try await hayrack(arguments, in: folder)
                let receiver = try await hayrack(
                    ["receive", endpoint, "--delivery", "reliable", "--count", "1000", "--output", "\(folder)/out"],
                    in: folder)
                #expect(try await receiver.waitForExit() == 0, "\(receiver.output)")
                #expect(try await second.waitForExit() == 0, "\(second.output)")
                #expect(readText("\(folder)/out") == lines(1000))
            }
        }

        @Test("damage at the end of a spool is warned of, counted, and told in the stream")
        func damagedSpool() async throws {
            try await withTemporaryFolder { folder in
                let program = Repository.executable("hayrack")
                let endpoint = "ipc://\(folder)/socket"
                let serve = [
                    "serve", "--bind", endpoint, "--spool", "\(folder)/spool", "--spool-limit", "128KiB", "--max-line",
                    "1KiB",
                ]
                try writeText(lines(3000), to: "\(folder)/in")
                let first = try await command(program, serve + ["--linger", "0s"], input: "\(folder)/in")
                #expect(first.complaints.contains("3000 in the spool"), "\(first)")
                let script =
                    #"f=$(ls "$0"/*.segment | tail -n 1); head -c "$(stat -c %s "$f")" /dev/zero >"$f.new"; mv "$f.new" "$f""#
                #expect(try await run("sh", ["-c", script, "\(folder)/spool"]).exitCode == 0)
                let receiver = try await hayrack(["receive", endpoint, "--output", "\(folder)/out"], in: folder)
                let second = try await command(program, serve)
                #expect(second.exitCode == 0, "\(second)")
                for words in ["lines at its end are lost", "lost to damage in the spool", "the spool is damaged: "] {
                    #expect(second.complaints.contains(words), "\(second)")
                }
                try await eventually("the note") { readText("\(folder)/out").contains("libra: ") }
                let kept = readText("\(folder)/out").split(separator: "\n").count - 1
                #expect(
                    readText("\(folder)/out").hasPrefix(lines(kept) + "libra: \(3000 - kept) lines are missing here"))
                await receiver.stop()
            }
        }

        @Test("--progress draws on a terminal, and nowhere else")
        func progress() async throws {
            try await withTemporaryFolder { folder in
                let program = Repository.executable("hayrack")
                let endpoint = "ipc://\(folder)/socket"
                let shown = try await run(
                    "script", ["-qec", "\(program) serve --bind \(endpoint) --progress --linger 1s", "/dev/null"])
                #expect(shown.output.contains("0 lines  0/s"), "\(shown.output)")
                let plain = try await run(program, ["serve", "--bind", endpoint, "--progress", "--linger", "0s"])
                #expect(!plain.output.contains("lines  0/s"), "\(plain.output)")
            }
        }
    }
}
