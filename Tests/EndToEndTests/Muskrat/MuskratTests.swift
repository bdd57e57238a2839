import Glibc
import JSON
import Testing
import TestServers

extension EndToEnd {
    @Suite("muskrat as an operator runs it", .timeLimit(.minutes(3)))
    struct MuskratTests {
        @Test("what is produced is consumed, with nothing installed and nothing configured")
        func firstExample() async throws {
            try await withTemporaryFolder { folder in
                // Root keeps messages in /var/lib, which is not the tests' to write.
                let script = #"""
                    unset LIBRA_MUSKRAT_BROKERS
                    echo hello | "$0" produce A.B && "$0" consume A.B && "$0" consume A.B && "$0" keys
                    """#
                let program = "\(folder)/muskrat"
                _ = try await run("cp", [Repository.executable("muskrat"), program])
                var arguments = ["-c", script, program]
                if geteuid() == 0 {
                    let (code, words) = try await run("chown", ["nobody", folder])
                    #expect(code == 0, "\(words)")
                    arguments = ["--reuid=nobody", "--clear-groups", "sh"] + arguments
                }
                let result = try await command(
                    geteuid() == 0 ? "setpriv" : "sh", arguments, environment: ["XDG_STATE_HOME": "\(folder)/state"])
                #expect(result.exitCode == 0, "\(result)")
                #expect(result.output == "hello\nA.B\n")
                #expect(result.complaints.contains("1 message stored"), "\(result)")
                #expect(exists("\(folder)/state/muskrat/A/B/log"))
            }
        }

        @Test("lines come back in whole and in order, a name at a time")
        func names() async throws {
            try await withMuskrat { stand in
                let lines = numberedLines(1...20_000) + ["", "tab\tand ünïcödé", "no line feed"]
                let result = try await stand.muskrat("produce", "A.B", input: lines.joined(separator: "\n"))
                #expect(result.exitCode == 0, "\(result)")
                #expect(result.complaints.contains("20003 messages stored"), "\(result)")
                let first = try await stand.muskrat("consume", "a.b", "--name", "one")
                #expect(first.output == lines.joined(separator: "\n") + "\n")
                #expect(first.complaints.contains("20003 messages"), "\(first.complaints)")
                #expect(try await stand.consume("--name", "one").isEmpty)
                #expect(try await stand.consume("--name", "two").count == 20_002)
                try await stand.produce(["more"])
                #expect(try await stand.consume("--name", "one") == ["more"])
            }
        }

        @Test("--json tells key, number and time, and what is no text in base64")
        func json() async throws {
            try await withMuskrat { stand in
                try writeText("text\n", to: "\(stand.folder)/bytes")
                _ = try await run("sh", ["-c", #"printf '\377\376\n' >> "$0""#, "\(stand.folder)/bytes"])
                let produced = try await command(
                    Repository.executable("muskrat"), ["produce", "A.B", "-b", stand.broker],
                    input: "\(stand.folder)/bytes")
                #expect(produced.exitCode == 0, "\(produced)")
                let messages = try await stand.muskrat("consume", "A.B", "--json").lines()
                try #require(messages.count == 2)
                #expect(messages[0]["key"] == "A.B")
                #expect(messages.map { $0["sequence"] } == [1, 2])
                #expect(messages[0]["text"] == "text")
                #expect(messages[1]["base64"] == "//4=")
                #expect(messages[0]["time"]?.string?.hasSuffix("Z") == true)

                let list = try await stand.muskrat("consume", "A.B", "--name", "lists", "--aggregate").value()
                #expect(list.array?.map { $0["sequence"] } == [1, 2])
            }
        }

        @Test("--from begins at a number, a time, the beginning or the end, and with --reset whatever was handled")
        func from() async throws {
            try await withMuskrat { stand in
                try await stand.produce(numberedLines(1...5))
                #expect(try await stand.consume("--name", "late", "--from", "4") == ["line 4", "line 5"])
                #expect(try await stand.consume().count == 5)
                #expect(try await stand.consume("--from", "4", "--reset") == ["line 4", "line 5"])
                #expect(try await stand.consume("--from", "beginning", "--reset").count == 5)
                #expect(try await stand.consume("--from", "1970-01-01T00:00:00Z", "--reset").count == 5)
                #expect(try await stand.consume("--from", "2999-01-01T00:00:00Z", "--reset").isEmpty)
                #expect(try await stand.consume("--name", "new", "--from", "end").isEmpty)
                try await stand.produce(["line 6"])
                #expect(try await stand.consume("--name", "new") == ["line 6"])
            }
        }

        @Test("--from does not send a consumer back that has a cursor, as one that is started again, and says so")
        func fromAgain() async throws {
            try await withMuskrat { stand in
                try await stand.produce(numberedLines(1...5))
                #expect(try await stand.consume("--from", "beginning").count == 5)
                try await stand.produce(["line 6"])
                let again = try await stand.muskrat("consume", "A.B", "--from", "beginning")
                #expect(again.output == "line 6\n", "\(again)")
                #expect(again.complaints.contains("'default' goes on at 6 of A.B"), "\(again)")
            }
        }

        @Test("a key that is not there is named as such, and nothing is left behind")
        func noSuchKey() async throws {
            try await withMuskrat { stand in
                try await stand.produce(["one"])
                for layout in ["log", "legacy"] {
                    let result = try await stand.muskrat("consume", "A.C", "--layout", layout)
                    #expect(result.exitCode == 0, "\(result)")
                    #expect(result.complaints.contains("there is no such key yet"), "\(result)")
                }
                #expect(!exists("\(stand.folder)/messages/A/C"))
                #expect(!(try await stand.muskrat("consume", "A.B").complaints.contains("no such key")))
                #expect(!(try await stand.muskrat("consume", "A.B").complaints.contains("no such key")))
                // Who begins at the end gets what is sent from then on, even of a key that comes into being only then.
                #expect(try await stand.consume("--from", "end", key: "A.D").isEmpty)
                try await stand.produce(["first"], to: "A.D")
                #expect(try await stand.consume("--from", "end", key: "A.D") == ["first"])
            }
        }

        @Test("a second consumer of a name says that it waits, and gets what the first one leaves")
        func turns() async throws {
            try await withMuskrat { stand in
                try await stand.produce(["one"])
                let (one, two) = ("\(stand.folder)/one", "\(stand.folder)/two")
                let first = try await stand.start(["consume", "A.B", "--follow"], output: one)
                try await eventually("the first line") { readText(one) == "one\n" }
                let second = try await stand.start(["consume", "A.B", "--follow"], output: two)
                try await eventually("the second's word") {
                    second.output.contains("another consumer of this name reads; waiting until it ends")
                }
                first.signal(SIGTERM)
                #expect(try await first.waitForExit() == 0)
                try await stand.produce(["two"])
                try await eventually("the second line") { readText(two) == "two\n" }
                second.signal(SIGTERM)
                #expect(try await second.waitForExit() == 0)
            }
        }

        @Test("timeformat writes the times of JSON lines and of MUSKRAT_TIME")
        func timeFormat() async throws {
            try await withMuskrat { stand in
                try await stand.produce(["one"])
                let format = ["LIBRA_MUSKRAT_TIMEFORMAT": "%Y/%m/%d"]
                let lines = try await stand.muskrat("consume", "A.B", "--json", environment: format).lines()
                let time = try #require(lines.first?["time"]?.string)
                #expect(time.count == 10 && time.split(separator: "/").count == 3, "\(time)")
                let script = "\(stand.folder)/program"
                try writeText("#!/bin/sh\necho \"$MUSKRAT_TIME\"\n", to: script, mode: 0o755)
                let program = try await stand.muskrat(
                    "consume", "A.B", "--name", "other", "--exec", script, environment: format)
                #expect(program.output == time + "\n", "\(program)")
            }
        }

        @Test("each --broker is one URL, white space or not, and --layout is for URLs that name none")
        func brokers() async throws {
            try await withMuskrat { stand in
                let (first, second) = (
                    "file://\(stand.folder)/with space", "file://\(stand.folder)/second?layout=legacy"
                )
                let result = try await stand.muskrat(
                    "produce", "A.B", "-b", first, "-b", second, "--patience", "30s", input: "x\n")
                #expect(result.exitCode == 0, "\(result)")
                #expect(exists("\(stand.folder)/with space/A/B/log"))
                #expect(try await stand.consume("--broker", first, "--layout", "log") == ["x"])
                #expect(try await stand.consume("--broker", second) == ["x"])
                #expect(try await stand.consume("--broker", second, "--layout", "legacy", "--name", "n") == ["x"])
            }
        }

        @Test("a pattern reads all keys that match")
        func patterns() async throws {
            try await withMuskrat { stand in
                for key in ["Shop.Order.New", "Shop.Order.Paid", "Shop.Stock"] {
                    try await stand.produce([key], to: key)
                }
                let keys = try await stand.muskrat("keys")
                #expect(keys.output == "SHOP.ORDER.NEW\nSHOP.ORDER.PAID\nSHOP.STOCK\n", "\(keys)")
                #expect(try await stand.muskrat("keys", "*.*").output == "SHOP.STOCK\n")
                #expect(
                    Set(try await stand.consume(key: "shop.order.*")) == ["Shop.Order.New", "Shop.Order.Paid"])
                #expect(try await stand.consume("--name", "all", key: "#").count == 3)
            }
        }

        @Test("--follow prints what comes, until SIGTERM or SIGINT, and nothing twice", arguments: [SIGTERM, SIGINT])
        func follow(signal: Int32) async throws {
            try await withMuskrat { stand in
                let out = "\(stand.folder)/out"
                let consumer = try await stand.start(["consume", "A.B", "--follow", "--interval", "20ms"], output: out)
                try await stand.produce(["one"])
                try await eventually("the first") { readText(out) == "one\n" }
                try await stand.produce(["two"])
                try await eventually("the second") { readText(out) == "one\ntwo\n" }
                consumer.signal(signal)
                #expect(try await consumer.waitForExit() == 0, "\(consumer.output)")
                #expect(consumer.output.contains("2 messages"), "\(consumer.output)")
                #expect(try await stand.consume().isEmpty)
            }
        }

        @Test("produce stores what it has read when a signal ends it")
        func stoppedProducer() async throws {
            try await withMuskrat { stand in
                let input = try HeldInput(in: stand.folder)
                let producer = try await stand.start(["produce", "A.B"], input: input.path)
                input.write("first\n")
                try await eventually("the first") { try await stand.consume() == ["first"] }
                input.write("second\nthird")
                try await eventually("it has read them") { input.waiting == 0 }
                producer.signal(SIGTERM)
                #expect(try await producer.waitForExit() == 0, "\(producer.output)")
                #expect(producer.output.contains("3 messages stored"), "\(producer.output)")
                #expect(try await stand.consume() == ["second", "third"])
            }
        }

        @Test("a reader that goes away ends consume quietly, and what was not written comes again")
        func brokenPipe() async throws {
            try await withMuskrat { stand in
                let lines = numberedLines(1...200_000)
                try await stand.produce(lines)
                let result = try await command(
                    "sh",
                    [
                        "-c", #""$0" consume A.B | head -n 1; exit 0"#, Repository.executable("muskrat"),
                    ], environment: ["LIBRA_MUSKRAT_BROKERS": stand.broker])
                #expect(result.output == "line 1\n")
                #expect(result.complaints.isEmpty, "\(result)")
                let rest = try await stand.consume()
                #expect(rest.last == "line 200000")
                let first = try #require(rest.first?.split(separator: " ").last.flatMap { Int($0) })
                // What went into the pipe counts as written, whole lines only.
                #expect(first < 200_000)
                #expect(rest == Array(lines[(first - 1)...]))
            }
        }

        @Test(
            "wrong use is refused with 64 and one line",
            arguments: [
                ["produce", "A/B"], ["produce", "A..B"], ["produce", ".A"], ["produce", "A\u{1b}B"],
                ["produce", "../A"],
                ["produce", "Ä"], ["produce", "A.*"], ["produce"], ["consume", "A/B"], ["consume", "A..B"],
                ["consume", "A.B", "--from", "soon"], ["consume", "A.B", "--name", "a/b"],
                ["consume", "A.B", "--attempts", "0"], ["consume", "A.B", "--exec", "'"],
                ["consume", "A.B", "--layout", "heap"], ["keys", "A/B"], ["produce", "A", "--broker", "ftp://x/y"],
                ["produce", "A", "--broker", "/var/lib/x"], ["produce", "A", "--broker", "memory:"],
                ["keys", "--layout", "log", "--broker", "file:///tmp/x?layout=legacy"],
                ["consume", "A.B", "--reset"], ["consume", "A.B", "--exec", "cat", "--dead-bodies"],
                ["produce", "A", "--patience", "soon"],
                ["copy", "file:///tmp/x"], ["copy", "file:///tmp/x", "file:///tmp/x"],
                ["copy", "amqp://127.0.0.1:1/", "file:///tmp/x"], ["cursors", "set", "A.B"],
                ["retain"], ["retain", "--age", "soon"], ["verify", "A/B"], ["nonsense"],
            ])
        func wrongUse(arguments: [String]) async throws {
            try await withMuskrat { stand in
                let result = try await stand.muskrat(arguments)
                #expect(result.exitCode == 64, "\(result)")
                #expect(result.output.isEmpty)
                #expect(result.complaints.hasPrefix("muskrat: "), "\(result)")
                #expect(!result.complaints.contains("\u{1b}"))
                #expect(!exists("\(stand.folder)/messages"))
            }
        }

        @Test("a configuration that is wrong is refused with 78, and its secrets are not shown")
        func wrongConfiguration() async throws {
            try await withMuskrat { stand in
                let file = "\(stand.folder)/muskrat.cfg"
                try writeText("[muskrat]\nbroker = file:///x\nlayout = heap\nbrokers = ftp://u:hunter2@x\n", to: file)
                let result = try await stand.muskrat(
                    "keys", "--config", file, environment: ["LIBRA_MUSKRAT_BROKERS": ""])
                #expect(result.exitCode == 78, "\(result)")
                #expect(result.complaints.contains("did you mean 'brokers'"), "\(result)")
                #expect(result.complaints.contains("\(file):3: [muskrat] layout"), "\(result)")
                try writeText("[muskrat]\nbrokers = ftp://u:hunter2@x\n", to: file)
                let other = try await stand.muskrat(
                    "keys", "--config", file, environment: ["LIBRA_MUSKRAT_BROKERS": ""])
                #expect(other.exitCode == 78, "\(other)")
                #expect(!other.complaints.contains("hunter2"), "\(other)")
            }
        }

        @Test("a store that cannot be reached is 69, a folder that cannot be written 73 or 74")
        func unreachable() async throws {
            try await withMuskrat { stand in
                let nobody = "s3://bucket?endpoint=http://127.0.0.1:\(try freePort())&region=x&path-style=true"
                let keys = ["AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hunter2"]
                let store = try await stand.muskrat("keys", "--broker", nobody, environment: keys)
                #expect(store.exitCode == 69, "\(store)")
                #expect(!store.complaints.contains("hunter2"))
                try writeText("", to: "\(stand.folder)/file")
                let folder = try await stand.muskrat(
                    "produce", "A", "--broker", "file://\(stand.folder)/file", input: "x\n")
                #expect([73, 74].contains(folder.exitCode), "\(folder)")
                #expect(folder.complaints.contains("\(stand.folder)/file"), "\(folder)")
            }
        }
    }
}
