import Checksums
import Glibc
import JSON
import Testing
import TestServers

extension EndToEnd {
    @Suite("muskrat's cursors, retention, verification and copies", .timeLimit(.minutes(3)))
    struct MuskratAdministrationTests {
        @Test("cursors are listed, shown, set, copied and deleted")
        func cursors() async throws {
            try await withMuskrat { stand in
                try await stand.produce(numberedLines(1...5))
                _ = try await stand.consume("--name", "one")
                let list = try await stand.muskrat("cursors", "list")
                #expect(list.exitCode == 0, "\(list)")
                let rows = list.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
                #expect(rows.count == 2, "\(list)")
                #expect(rows.last?.prefix(3) == ["A.B", "one", "6"], "\(list)")
                #expect(rows.last?.last?.hasSuffix("s") == true, "\(list)")

                func set(_ place: String) async throws -> [String] {
                    let result = try await stand.muskrat("cursors", "set", "A.B", place, "--name", "one")
                    #expect(result.exitCode == 0, "\(result)")
                    return try await stand.consume("--name", "one")
                }
                #expect(try await set("4") == ["line 4", "line 5"])
                #expect(try await set("beginning").count == 5)
                #expect(try await set("end").isEmpty)
                #expect(try await set("1970-01-01T00:00:00Z").count == 5)

                _ = try await stand.muskrat("cursors", "set", "A.B", "3", "--name", "one")
                let copied = try await stand.muskrat("cursors", "copy", "A.B", "one", "two")
                #expect(copied.exitCode == 0, "\(copied)")
                #expect(try await stand.consume("--name", "two").count == 3)
                let shown = try await stand.muskrat("cursors", "show", "A.B", "--name", "two")
                #expect(shown.output.contains("6"), "\(shown)")

                #expect(try await stand.muskrat("cursors", "delete", "A.B", "--name", "two").exitCode == 0)
                #expect(try await stand.muskrat("cursors", "show", "A.B", "--name", "two").exitCode == 1)
                #expect(try await stand.consume("--name", "two").count == 5)
            }
        }

        @Test("verify names a segment that is corrupt, consume stops there, and skips it on request")
        func corrupt() async throws {
            try await withMuskrat { stand in
                for part in 0...2 { try await stand.produce(numberedLines(part * 10 + 1...part * 10 + 10)) }
                let sound = try await stand.muskrat("verify")
                #expect(sound.exitCode == 0, "\(sound)")
                #expect(sound.output.contains("A.B"), "\(sound)")

                let segment = "\(stand.folder)/messages/A/B/log/00000000000000000002"
                let file = open(segment, O_RDWR)
                #expect(file >= 0)
                #expect(pwrite(file, "\u{0}", 1, off_t(fileSize(segment) - 1)) == 1)
                close(file)
                let found = try await stand.muskrat("verify")
                #expect(found.exitCode == 1, "\(found)")
                #expect((found.output + found.complaints).contains("00000000000000000002"), "\(found)")

                let stopped = try await stand.muskrat("consume", "A.B")
                #expect(stopped.exitCode == 1, "\(stopped)")
                #expect(stopped.complaints.contains("00000000000000000002"), "\(stopped)")
                let skipped = try await stand.muskrat("consume", "A.B", "--name", "other", "--skip-corrupt")
                #expect(skipped.exitCode == 0, "\(skipped)")
                let lines = skipped.output.split(separator: "\n").map(String.init)
                #expect(lines == numberedLines(1...10) + numberedLines(21...30))
            }
        }

        @Test("messages in a later version of the format end a command with 78, also where what is corrupt is skipped")
        func laterVersion() async throws {
            try await withMuskrat { stand in
                try await stand.produce(["one"])
                let file = open("\(stand.folder)/messages/A/B/log/00000000000000000001", O_RDWR)
                #expect(file >= 0)
                var bytes = [UInt8](repeating: 0, count: 80)
                #expect(pread(file, &bytes, bytes.count, 0) == bytes.count)
                var header = try #require(bytes.withUnsafeBytes { SealedFields($0, count: $0.count) })
                header[8] = UInt32(2)
                header.seal()
                #expect(pwrite(file, header.bytes, bytes.count, 0) == bytes.count)
                close(file)
                for arguments in [["consume", "A.B", "--skip-corrupt"], ["verify"]] {
                    let result = try await stand.muskrat(arguments)
                    #expect(result.exitCode == 78, "\(result)")
                    #expect(result.complaints.contains("has version 2 of the format"), "\(result)")
                }
            }
        }

        @Test(
            "what there is no key for is said, and is no failure",
            arguments: [
                ["keys", "Nope"], ["cursors", "list", "Nope"], ["verify", "Nope"], ["retain", "Nope", "--size", "1"],
                ["cursors", "set", "Nope", "end"], ["verify", "Nope.*"],
            ])
        func missingKeys(arguments: [String]) async throws {
            try await withMuskrat { stand in
                try await stand.produce(["one"])
                let result = try await stand.muskrat(arguments)
                #expect(result.exitCode == 0, "\(result)")
                #expect(result.complaints.hasPrefix("muskrat: there is no key "), "\(result)")
                #expect(result.complaints.contains("NOPE"), "\(result)")
            }
        }

        @Test("a copy keeps how far it is where it is told to, and says so when there is nothing to copy")
        func copyCursors() async throws {
            try await withMuskrat { stand in
                try await stand.produce(numberedLines(1...3))
                let target = "file://\(stand.folder)/target"
                let folder = "\(stand.folder)/cursors"
                let copied = try await stand.muskrat(
                    "copy", stand.broker, target, "--name", "copier",
                    environment: ["LIBRA_MUSKRAT_S3_CURSOR_TYPE": "file", "LIBRA_MUSKRAT_S3_CURSOR_LOCATION": folder])
                #expect(copied.complaints.contains("3 messages copied"), "\(copied)")
                #expect(exists("\(folder)/A.B/copier"))
                #expect(!exists("\(stand.folder)/messages/A/B/cursors"))
                let again = try await stand.muskrat(
                    "copy", stand.broker, target, "--name", "copier", "--cursors", folder)
                #expect(again.complaints.contains("0 messages copied"), "\(again)")
                let none = try await stand.muskrat("copy", stand.broker, target, "--key", "A.C")
                #expect(none.exitCode == 0, "\(none)")
                #expect(none.complaints.contains("there is no key A.C at"), "\(none)")
            }
        }

        @Test("another cursor than the name's, and cursors in a folder, are kept apart")
        func otherCursors() async throws {
            try await withMuskrat { stand in
                try await stand.produce(numberedLines(1...3))
                #expect(try await stand.consume().count == 3)
                #expect(try await stand.consume("--cursor", "second").count == 3)
                #expect(try await stand.consume("--cursor", "second").isEmpty)
                let folder = ["--cursors", "\(stand.folder)/cursors"]
                #expect(try await stand.muskrat(["consume", "A.B"] + folder).output.split(separator: "\n").count == 3)
                #expect(try await stand.muskrat(["consume", "A.B"] + folder).output.isEmpty)
                #expect(exists("\(stand.folder)/cursors/A.B/default"))
                let there = try await stand.muskrat(["cursors"] + folder)
                #expect(there.output.split(separator: "\n").count == 2, "\(there)")
                let here = try await stand.muskrat("cursors")
                #expect(here.output.split(separator: "\n").count == 3, "\(here)")
            }
        }

        @Test("retain removes nothing that a cursor has still to read, that is new, or in a dry run")
        func retain() async throws {
            try await withMuskrat { stand in
                for part in 0...4 { try await stand.produce(numberedLines(part * 10 + 1...part * 10 + 10)) }
                let log = "\(stand.folder)/messages/A/B/log"
                func segments() async throws -> Int {
                    try await run("sh", ["-c", "ls '\(log)' | grep -c '^0'"]).1.split(separator: "\n").first
                        .flatMap { Int($0) } ?? -1
                }
                #expect(try await segments() == 5)
                #expect(try await stand.muskrat("retain", "--size", "0", "--force").exitCode == 0)
                #expect(try await segments() == 5, "a segment that is not an hour old was removed")

                // What is old by the store's clock is so by the files' times.
                _ = try await run("sh", ["-c", "touch -d '3 hours ago' '\(log)'/0*"])
                _ = try await stand.muskrat("cursors", "set", "A.B", "11", "--name", "slow")
                let dry = try await stand.muskrat("retain", "--size", "0", "--dry-run")
                #expect(dry.exitCode == 0, "\(dry)")
                #expect(try await segments() == 5)
                let kept = try await stand.muskrat("retain", "--size", "0")
                #expect(kept.exitCode == 0, "\(kept)")
                #expect(try await segments() == 4, "\(kept)")
                #expect(try await stand.consume("--name", "slow").first == "line 11")

                let aside = ["--cursors", "\(stand.folder)/cursors"]
                _ = try await stand.muskrat(["cursors", "set", "A.B", "31", "--name", "slow"] + aside)
                let held = try await stand.muskrat(["retain", "--size", "0"] + aside)
                #expect(held.exitCode == 0, "\(held)")
                #expect(try await segments() == 2, "\(held)")

                _ = try await stand.muskrat("cursors", "set", "A.B", "31", "--name", "slow")
                #expect(try await stand.muskrat("retain", "--size", "0", "--force").exitCode == 0)
                #expect(try await segments() == 1)
                try await stand.produce(["line 51"])
                let last = try await stand.muskrat("consume", "A.B", "--name", "new", "--json").lines().last
                #expect(last?["sequence"] == 51)
            }
        }

        @Test("copy brings everything from layout to layout and back, and goes on where it was")
        func copy() async throws {
            try await withMuskrat { stand in
                let (legacy, back) = ("file://\(stand.folder)/legacy", "file://\(stand.folder)/back")
                try await stand.produce(numberedLines(1...200))
                try await stand.produce(["other"], to: "Other.Key")
                let there = try await stand.muskrat("copy", stand.broker, legacy, "--to-layout", "legacy")
                #expect(there.exitCode == 0, "\(there)")
                #expect(there.complaints.contains("201 messages copied"), "\(there)")
                #expect(
                    try await stand.consume("--broker", legacy, "--layout", "legacy") == numberedLines(1...200))
                let again = try await stand.muskrat("copy", legacy, back, "--from-layout", "legacy")
                #expect(again.exitCode == 0, "\(again)")
                #expect(try await stand.consume("--broker", back) == numberedLines(1...200))
                #expect(try await stand.consume("--broker", back, key: "Other.Key") == ["other"])

                try await stand.produce(["line 201"])
                let more = try await stand.muskrat("copy", stand.broker, back, "--key", "A.B", "--name", "fresh")
                #expect(more.complaints.contains("201 messages copied"), "\(more)")
                let none = try await stand.muskrat("copy", stand.broker, back, "--key", "A.B", "--name", "fresh")
                #expect(none.complaints.contains("0 messages copied"), "\(none)")
            }
        }

        @Test("messages that are reached by another name keep their cursors", arguments: ["log", "legacy"])
        func moved(layout: String) async throws {
            try await withMuskrat { stand in
                let moved = "\(stand.folder)/moved"
                func at(_ folder: String) -> [String] { ["--broker", "file://\(folder)", "--layout", layout] }
                let produced = try await stand.muskrat(
                    ["produce", "A.B"] + at("\(stand.folder)/messages"), input: "one\ntwo\n")
                #expect(produced.exitCode == 0, "\(produced)")
                let first = try await stand.muskrat(["consume", "A.B"] + at("\(stand.folder)/messages"))
                #expect(first.output == "one\ntwo\n", "\(first)")
                _ = try await run("mv", ["\(stand.folder)/messages", moved])
                let more = try await stand.muskrat(["produce", "A.B"] + at(moved), input: "three\n")
                #expect(more.exitCode == 0, "\(more)")
                let second = try await stand.muskrat(["consume", "A.B"] + at(moved))
                #expect(second.output == "three\n", "\(second)")
            }
        }

        @Test("a copy that was killed goes on, and loses nothing")
        func killedCopy() async throws {
            try await withMuskrat { stand in
                let lines = numberedLines(1...400_000)
                try await stand.produce(lines)
                let target = "file://\(stand.folder)/target"
                let copy = try await stand.start(["copy", stand.broker, target])
                try await eventually("a segment") { exists("\(stand.folder)/target/A/B/log") }
                await copy.kill()
                let rest = try await stand.muskrat("copy", stand.broker, target)
                #expect(rest.exitCode == 0, "\(rest)")
                let got = try await stand.consume("--broker", target)
                #expect(Set(got) == Set(lines))
                // What was on its way may be there twice, as a whole batch.
                #expect(got.count < 2 * lines.count)
                #expect(try await stand.muskrat("verify", "--broker", target).exitCode == 0)
            }
        }
    }
}
