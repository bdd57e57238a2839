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
    }
}
