import Testing
import TestServers

extension EndToEnd {
    @Suite("muskrat copy where something stands in the way", .timeLimit(.minutes(3)))
    struct MuskratCopyTests {
        /// Writes messages of A.B as the old library does.
        private func writeLegacy(_ messages: [(time: String, body: String)], to folder: String) async throws {
            _ = try await run("mkdir", ["-p", "\(folder)/A/B"])
            for message in messages { try writeText(message.body, to: "\(folder)/A/B/\(message.time)") }
        }

        @Test("a message that is too long for a log is named, and left out on request")
        func tooLong() async throws {
            try await withMuskrat { stand in
                let (source, target) = ("file://\(stand.folder)/old", "file://\(stand.folder)/new")
                try await writeLegacy(
                    [
                        ("2026-11-21T01:23:45.000001", "first"),
                        ("2026-11-21T01:23:45.000002", String(repeating: "x", count: 9_000_000)),
                        ("2026-11-21T01:23:45.000003", "third"),
                    ], to: "\(stand.folder)/old")
                let copy = ["copy", source, target, "--from-layout", "legacy"]
                for _ in 1...2 {
                    let stopped = try await stand.muskrat(copy)
                    #expect(stopped.exitCode == 1, "\(stopped)")
                    #expect(
                        stopped.complaints.contains(
                            "message 2026-11-21T01:23:45.000002 of A.B at \(source) (legacy layout) cannot be copied"),
                        "\(stopped)")
                    #expect(stopped.complaints.contains("it has 9000000 bytes, and 8388608"), "\(stopped)")
                    #expect(stopped.complaints.contains("--skip-unfit"), "\(stopped)")
                }
                let rest = try await stand.muskrat(copy + ["--skip-unfit"])
                #expect(rest.exitCode == 0, "\(rest)")
                #expect(
                    rest.complaints.contains("message 2026-11-21T01:23:45.000002 of A.B is left out: it has"), "\(rest)"
                )
                #expect(rest.complaints.contains("1 message copied"), "\(rest)")
                #expect(rest.complaints.contains(", 1 left out"), "\(rest)")
                #expect(try await stand.consume("--broker", target) == ["first", "third"])
            }
        }

        @Test("a folder is not copied to itself, by whatever name", arguments: ["log", "legacy"])
        func sameFolder(layout: String) async throws {
            try await withMuskrat { stand in
                let layouts = ["--from-layout", layout, "--to-layout", layout]
                let produced = try await stand.muskrat("produce", "A.B", "--layout", layout, input: "one\n")
                #expect(produced.exitCode == 0, "\(produced)")
                _ = try await run("ln", ["-s", "messages", "\(stand.folder)/link"])
                for other in ["link", "./messages", "messages/A/..", "messages/"] {
                    let result = try await stand.muskrat(
                        ["copy", stand.broker, "file://\(stand.folder)/\(other)"] + layouts)
                    #expect(result.exitCode == 64, "\(result)")
                    #expect(result.complaints.contains("both what to copy from and what to copy to"), "\(result)")
                }
                // From one layout to the other it is a copy.
                let converted = try await stand.muskrat(
                    "copy", stand.broker, "file://\(stand.folder)/link", "--from-layout", layout, "--to-layout",
                    layout == "log" ? "legacy" : "log")
                #expect(converted.complaints.contains("1 message copied"), "\(converted)")
            }
        }

        @Test(
            "a store by two names that nobody can compare is copied once, and not for ever",
            arguments: ["log", "legacy"])
        func sameStore(layout: String) async throws {
            try await withSeaweedFS { server in
                try await withMuskrat { stand in
                    func url(_ host: String) -> String {
                        "s3://\(server.login.bucket)/\(layout)?endpoint=http://\(host):\(server.login.port)&path-style=true"
                    }
                    let lines = numberedLines(1...(layout == "log" ? 3000 : 60)).map { $0 + "\n" }.joined()
                    let produced = try await stand.muskrat(
                        "produce", "A.B", "--broker", url("127.0.0.1"), "--layout", layout, input: lines,
                        environment: server.login.environment)
                    #expect(produced.exitCode == 0, "\(produced)")
                    let copied = try await stand.muskrat(
                        "copy", url("127.0.0.1"), url("localhost"), "--from-layout", layout, "--to-layout", layout,
                        environment: server.login.environment, within: .seconds(20))
                    #expect(copied.exitCode == 0, "\(copied)")
                    #expect(
                        copied.complaints.hasPrefix(
                            layout == "log" ? "muskrat: 3000 messages" : "muskrat: 60 messages"), "\(copied)")
                }
            }
        }

        @Test("a message whose time no name of the legacy layout can tell is named, and left out on request")
        func untellableTime() async throws {
            try await withMuskrat { stand in
                let (source, target) = ("file://\(stand.folder)/log", "file://\(stand.folder)/new")
                try await writeLegacy(
                    [("2026-11-21T01:23:45.000001", "first"), ("9999-12-31T23:59:60.999999", "last")],
                    to: "\(stand.folder)/old")
                let there = try await stand.muskrat(
                    "copy", "file://\(stand.folder)/old", source, "--from-layout", "legacy")
                #expect(there.complaints.contains("2 messages copied"), "\(there)")
                let back = ["copy", source, target, "--to-layout", "legacy"]
                let stopped = try await stand.muskrat(back)
                #expect(stopped.exitCode == 1, "\(stopped)")
                #expect(stopped.complaints.contains("message 2 of A.B at \(source) cannot be copied"), "\(stopped)")
                #expect(stopped.complaints.contains("--skip-unfit"), "\(stopped)")
                let rest = try await stand.muskrat(back + ["--skip-unfit"])
                #expect(rest.exitCode == 0, "\(rest)")
                #expect(rest.complaints.contains("0 messages copied"), "\(rest)")
                #expect(rest.complaints.contains(", 1 left out"), "\(rest)")
                #expect(try await stand.consume("--broker", target, "--layout", "legacy") == ["first"])
            }
        }
    }
}
