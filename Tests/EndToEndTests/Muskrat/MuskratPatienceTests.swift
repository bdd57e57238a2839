import Testing
import TestServers

extension EndToEnd {
    @Suite("muskrat produce with a broker that is away", .timeLimit(.minutes(3)))
    struct MuskratPatienceTests {
        private static let keys = ["AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"]

        private func nowhere() throws -> String {
            "s3://bucket?endpoint=http://127.0.0.1:\(try freePort())&region=x&path-style=true"
        }

        @Test("what is not stored is told with its number and its first line, and so is what was not read")
        func told() async throws {
            try await withMuskrat { stand in
                let broker = try nowhere()
                let environment = Self.keys.merging(["LIBRA_MUSKRAT_BATCH_COUNT": "10"]) { $1 }
                let lines = numberedLines(1...1000).map { $0 + "\n" }.joined()
                // A hundred batches, of which only the first is tried for as long.
                let result = try await stand.muskrat(
                    ["produce", "A.B", "--broker", broker, "--patience", "1s"], input: lines,
                    environment: environment, within: .seconds(30))
                #expect(result.exitCode == 69, "\(result)")
                #expect(result.complaints.contains("messages of A.B not stored at s3://bucket"), "\(result)")
                #expect(result.complaints.contains(", the first of them line 1: "), "\(result)")

                // With a second broker that is there the input goes on, and only the first one lacks lines.
                let both = try await stand.muskrat(
                    [
                        "produce", "A.B", "--broker", stand.broker, "--broker", broker, "--patience", "3s",
                    ], input: "one\ntwo\n",
                    environment: Self.keys.merging(["LIBRA_MUSKRAT_SPOOLING": "never"]) { $1 })
                #expect(both.exitCode == 69, "\(both)")
                #expect(both.complaints.contains("2 messages of A.B not stored at s3://bucket"), "\(both)")
                #expect(!both.complaints.contains("is the last that was sent"), "\(both)")
                #expect(try await stand.consume() == ["one", "two"])
            }
        }

        @Test("a store that takes requests and never answers is given up when the patience ends")
        func silent() async throws {
            try await withMuskrat { stand in
                let server = try ScriptedHTTP { _ in .silence }
                defer { server.close() }
                // An answer is waited for for 20 s, and a request that comes to nothing is made again.
                let result = try await stand.muskrat(
                    [
                        "produce", "A.B", "--patience", "3s", "--broker", stand.broker, "--broker",
                        "s3://bucket?endpoint=http://127.0.0.1:\(server.port)&region=x&path-style=true",
                    ], input: "one\n", environment: Self.keys.merging(["LIBRA_MUSKRAT_SPOOLING": "never"]) { $1 },
                    within: .seconds(15))
                #expect(result.exitCode == 69, "\(result)")
                #expect(result.complaints.contains("1 message of A.B not stored at s3://bucket"), "\(result)")
                #expect(try await stand.consume() == ["one"])
            }
        }

        @Test("lines that were stored before the broker went away are not told, and nobody waits for more of them")
        func firstLine() async throws {
            try await withMuskrat { stand in
                // A folder that becomes a file cannot be written any more.
                let input = try HeldInput(in: stand.folder)
                let producer = try await stand.start(
                    ["produce", "A.B", "--patience", "3s"], input: input.path,
                    environment: ["LIBRA_MUSKRAT_BATCH_INTERVAL": "10ms"])
                input.write("one\ntwo\n")
                var stored: [String] = []
                try await eventually("two lines") {
                    stored += try await stand.consume("--name", "a")
                    return stored == ["one", "two"]
                }
                _ = try await run("sh", ["-c", "rm -r '\(stand.folder)/messages' && touch '\(stand.folder)/messages'"])
                input.write("three\n")
                try await eventually("the producer's end") { !producer.isRunning }
                #expect(try await producer.waitForExit() != 0)
                #expect(producer.output.contains("1 message of A.B not stored"), "\(producer.output)")
                #expect(producer.output.contains(", line 3: "), "\(producer.output)")
                #expect(producer.output.contains("line 3 is the last that was sent"), "\(producer.output)")
            }
        }

        @Test("with --spool a single broker may be away: lines wait, and get there in order with the next producer")
        func spool() async throws {
            try await withMuskrat { stand in
                // Where the folder should be is a file.
                let messages = "\(stand.folder)/messages"
                try writeText("", to: messages)
                let spool = ["--spool", "\(stand.folder)/spool"]
                let first = try await stand.muskrat(["produce", "A.B"] + spool, input: "one\ntwo\n")
                #expect(first.exitCode == 0, "\(first)")
                #expect(first.complaints.contains("2 messages waiting in the spool"), "\(first)")
                _ = try await run("rm", [messages])
                let second = try await stand.muskrat(
                    ["produce", "A.B", "--patience", "30s"] + spool, input: "three\n")
                #expect(second.exitCode == 0, "\(second)")
                #expect(try await stand.consume() == ["one", "two", "three"])
            }
        }
    }
}
