import Glibc
import JSON
import Testing
import TestServers

extension EndToEnd {
    @Suite("muskrat when something fails", .timeLimit(.minutes(3)))
    struct MuskratFaultTests {
        @Test("a consumer that is killed at any moment skips nothing", arguments: 1...4)
        func killedConsumer(round: Int) async throws {
            try await withMuskrat { stand in
                let lines = numberedLines(1...300_000)
                try await stand.produce(lines)
                let out = "\(stand.folder)/out"
                let consumer = try await stand.start(["consume", "A.B"], output: out)
                let target = Int.random(in: 0...3_000_000)
                try await eventually("some output") { fileSize(out) >= target || !consumer.isRunning }
                await consumer.kill()
                let rest = try await stand.consume()
                // The last line may be half of one.
                var seen = Set(readText(out).split(separator: "\n").map(String.init))
                seen.formUnion(rest)
                #expect(Set(lines).subtracting(seen).isEmpty)
                #expect(rest.last == "line 300000" || seen.contains("line 300000"))
                // What comes again goes on to the end in order.
                if let first = rest.first, let place = lines.firstIndex(of: first) {
                    #expect(rest == Array(lines[place...]))
                }
            }
        }

        @Test("of two consumers of one name the second takes over at once when the first is killed")
        func takingOver() async throws {
            try await withMuskrat { stand in
                let (one, two) = ("\(stand.folder)/one", "\(stand.folder)/two")
                try await stand.produce(["first"])
                let first = try await stand.start(["consume", "A.B", "--follow", "--interval", "20ms"], output: one)
                try await eventually("the first message") { readText(one) == "first\n" }
                let second = try await stand.start(["consume", "A.B", "--follow", "--interval", "20ms"], output: two)
                try await stand.produce(["second"])
                try await eventually("the second message") { readText(one) == "first\nsecond\n" }
                #expect(readText(two).isEmpty)
                // It has moved its cursor when a second is over.
                try await eventually("the cursor") {
                    try await stand.muskrat("cursors", "show", "A.B").output.contains("3")
                }
                let killed = ContinuousClock.now
                await first.kill()
                try await stand.produce(["third"])
                try await eventually("the third message") { readText(two).hasSuffix("third\n") }
                // A lease that has to run out takes 10 s.
                #expect(killed.duration(to: .now) < .seconds(8))
                second.signal(SIGTERM)
                #expect(try await second.waitForExit() == 0)
            }
        }

        @Test("a signal ends an input that never pauses, and what was read is stored")
        func endlessInput() async throws {
            try await withMuskrat { stand in
                let producer = try await stand.start(["produce", "A.B", "--quiet"], input: "/dev/zero")
                try await eventually("the first segment") {
                    exists("\(stand.folder)/messages/A/B/log/00000000000000000001")
                }
                producer.signal(SIGTERM)
                #expect(try await producer.waitForExit(within: .seconds(30)) == 0, "\(producer.output)")
                let verified = try await stand.muskrat("verify", "A.B")
                #expect(verified.exitCode == 0, "\(verified)")
            }
        }

        @Test("a program of --exec gets the message and where it stands, and a message it fails with is not handled")
        func program() async throws {
            try await withMuskrat { stand in
                try await stand.produce(["a b", "$HOME"])
                let script = "\(stand.folder)/program"
                try writeText(
                    "#!/bin/sh\necho \"$MUSKRAT_KEY $MUSKRAT_SEQUENCE $1: $(cat)\"\n", to: script, mode: 0o755)
                let result = try await stand.muskrat("consume", "A.B", "--exec", "\(script) 'two words'")
                #expect(result.exitCode == 0, "\(result)")
                #expect(result.output == "A.B 1 two words: a b\nA.B 2 two words: $HOME\n")

                let failing = ["consume", "A.B", "--name", "other", "--attempts", "2", "--exec"]
                let failed = try await stand.muskrat(failing + ["false"])
                #expect(failed.exitCode == 1, "\(failed)")
                #expect(failed.complaints.contains("'false' ended with 1"), "\(failed)")
                let missing = try await stand.muskrat(failing + ["/nonexistent"])
                #expect(missing.exitCode == 1, "\(missing)")
                #expect(try await stand.consume("--name", "other") == ["a b", "$HOME"])
            }
        }

        @Test("a program of --exec is run once for many messages with --aggregate")
        func programWithMany() async throws {
            try await withMuskrat { stand in
                try await stand.produce(numberedLines(1...500))
                let result = try await stand.muskrat("consume", "A.B", "--aggregate", "--exec", "wc -l")
                #expect(result.output.split(separator: "\n").map { $0.filter(\.isNumber) } == ["500"], "\(result)")
            }
        }

        @Test("what a program fails with is put aside where that is asked for, and the rest goes on")
        func deadLetters() async throws {
            try await withMuskrat { stand in
                try await stand.produce(["good", "bad", "fine"])
                let script = "\(stand.folder)/program"
                try writeText("#!/bin/sh\nread line; [ \"$line\" != bad ] && echo \"$line\"\n", to: script, mode: 0o755)
                let result = try await stand.muskrat(
                    "consume", "A.B", "--attempts", "2", "--dead-letters", "Dead", "--exec", script)
                #expect(result.exitCode == 0, "\(result)")
                #expect(result.output == "good\nfine\n")
                #expect(result.complaints.contains("2 messages of A.B handled"), "\(result)")
                #expect(result.complaints.contains(", 1 put aside in Dead"), "\(result)")
                let letter = try JSONValue(parsing: Array(try await stand.consume(key: "Dead").joined().utf8))
                #expect(letter["key"] == "A.B")
                #expect(letter["sequence"] == 2)
                #expect(letter["consumer"] == "default")
                #expect(letter["broker"]?.string == stand.broker)
                #expect(letter["attempts"] == 2)
                #expect(letter["error"]?.string?.contains("ended with 1") == true, "\(letter)")
                #expect(letter["text"] == "bad")
                let shown = try await stand.muskrat("consume", "Dead", "--name", "other", "--json").value()
                #expect(shown["text"]?.string == letter.description, "\(shown)")

                let bodies = ["--dead-letters", "Bodies", "--dead-bodies"]
                let other = try await stand.muskrat(
                    ["consume", "A.B", "--name", "other", "--attempts", "1", "--exec", script] + bodies)
                #expect(other.exitCode == 0, "\(other)")
                #expect(try await stand.consume(key: "Bodies") == ["bad"])
            }
        }

        @Test("a signal while a program runs lets it finish")
        func signalledProgram() async throws {
            try await withMuskrat { stand in
                try await stand.produce(["one", "two"])
                let (begun, go, done) = ("\(stand.folder)/begun", "\(stand.folder)/go", "\(stand.folder)/done")
                _ = try await run("mkfifo", [go])
                let script = "\(stand.folder)/program"
                try writeText(
                    "#!/bin/sh\ntouch '\(begun)'; read x < '\(go)'; cat >> '\(done)'\n", to: script, mode: 0o755)
                let consumer = try await stand.start(["consume", "A.B", "--exec", script])
                try await eventually("the program") { exists(begun) }
                consumer.signal(SIGTERM)
                _ = try await run("sh", ["-c", "echo > '\(go)'"])
                #expect(try await consumer.waitForExit() == 0, "\(consumer.output)")
                #expect(readText(done) == "one")
                #expect(try await stand.consume() == ["two"])
            }
        }

        @Test("with two brokers, one that is away gets what it missed, in order, and the other has it at once")
        func tee() async throws {
            try await withSeaweedFS { server in
                try await withMuskrat { stand in
                    let bucket = "s3://\(server.login.bucket)/tee?endpoint=\(server.login.endpoint)&path-style=true"
                    let environment = server.login.environment.merging(
                        ["LIBRA_MUSKRAT_SPOOL": "\(stand.folder)/spool"]) { $1 }
                    func produce(_ lines: String) async throws -> CommandResult {
                        try await stand.muskrat(
                            ["produce", "A.B", "--broker", stand.broker, "--broker", bucket, "--patience", "3s"],
                            input: lines, environment: environment)
                    }
                    await server.kill()
                    let first = try await produce("one\ntwo\n")
                    #expect(first.exitCode == 0, "\(first)")
                    #expect(first.complaints.contains("2 messages waiting in the spool"), "\(first)")
                    #expect(try await stand.consume() == ["one", "two"])
                    try await server.start()
                    // Its ports answer before it takes objects.
                    try await eventually(within: .seconds(60), "a server that takes objects") {
                        try await stand.muskrat(
                            ["produce", "Ready", "--broker", bucket, "--quiet"], input: "ready\n",
                            environment: environment
                        ).exitCode == 0
                    }
                    let second = try await produce("three\n")
                    #expect(second.exitCode == 0, "\(second)")
                    try await eventually(within: .seconds(60), "all lines in the bucket") {
                        _ = try await produce("")
                        let got = try await stand.muskrat(
                            ["consume", "A.B", "--broker", bucket, "--from", "beginning", "--reset"],
                            environment: environment)
                        return got.output == "one\ntwo\nthree\n"
                    }
                }
            }
        }
    }
}

/// How many bytes a file has; 0 when there is none.
func fileSize(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
}
