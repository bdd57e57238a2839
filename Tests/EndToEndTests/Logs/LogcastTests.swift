import Gearman
import Glibc
import JSON
import TestServers
import Testing

extension EndToEnd {
    @Suite("logcast", .timeLimit(.minutes(3)))
    struct LogcastTests {
        private func logcast(
            _ arguments: [String], input: String = "/dev/null", in folder: String
        ) async throws -> ChildProcess {
            try await ChildProcess.start(Repository.executable("logcast"), arguments, input: input, in: folder)
        }

        /// Starts to watch, and waits until it does.
        private func watch(_ arguments: [String], _ url: String, in folder: String) async throws -> ChildProcess {
            let tail = try await logcast(arguments + ["--url", url], in: folder)
            try await eventually(within: .seconds(60), "watching") { tail.output.contains("watching") }
            return tail
        }

        private func send(
            _ arguments: [String], _ url: String, input: String = "/dev/null", in folder: String
        ) async throws -> (code: Int32, output: String) {
            let sender = try await logcast(["send", "--url", url] + arguments, input: input, in: folder)
            return (try await sender.waitForExit(within: .seconds(60)), sender.output)
        }

        @Test("what is sent is seen by every tail that asks for it, as lines and as JSON, in order and whole")
        func tails() async throws {
            try await withRabbitMQ { broker in
                try await withTemporaryFolder { folder in
                    let url = "amqp://127.0.0.1:\(broker.port)"
                    let all = try await watch(["tail", "--count", "5001"], url, in: folder)
                    let errors = try await watch(
                        ["tail", "--json", "--level", "error", "--grep", "b[o]om", "--count", "1"], url, in: folder)
                    let others = try await watch(["tail", "--machine", "other-*"], url, in: folder)
                    try writeText((1...5000).map { "line \($0)\n" }.joined(), to: "\(folder)/in")
                    let lines = try await send(["--logger", "cron"], url, input: "\(folder)/in", in: folder)
                    #expect(lines.code == 0, "\(lines)")
                    let boom = try await send(["--level", "error", "boom\u{1b}[2J", "now"], url, in: folder)
                    #expect(boom.code == 0, "\(boom)")

                    #expect(try await all.waitForExit(within: .seconds(60)) == 0)
                    let shown = all.output.split(separator: "\n").filter { $0.contains(" INFO cron[") }
                    #expect(shown.map { $0.split(separator: ": ").last } == (1...5000).map { "line \($0)" })
                    #expect(all.output.contains("ERROR logcast["))
                    #expect(all.output.contains("boom\\x1b[2J now"))
                    #expect(try await errors.waitForExit(within: .seconds(60)) == 0)
                    let record = try #require(errors.output.split(separator: "\n").first { $0.hasPrefix("{") })
                    let json = try JSONValue(parsing: Array(record.utf8))
                    #expect(json["message"] == "boom\u{1b}[2J now")
                    #expect(json["level"] == "ERROR")
                    #expect(!others.output.contains("boom"))
                    await others.stop()
                }
            }
        }

        @Test("a tail goes on after the broker was away, and says so")
        func brokerAway() async throws {
            try await withRabbitMQ { broker in
                try await withTemporaryFolder { folder in
                    let url = "amqp://127.0.0.1:\(broker.port)"
                    let tail = try await watch(["tail"], url, in: folder)
                    try await broker.stopApplication()
                    try await eventually(within: .seconds(60), "a word") { tail.output.contains("trying again") }
                    let early = try await send(["--timeout", "0.5", "lost"], url, in: folder)
                    #expect(early.code == 69, "\(early)")
                    #expect(early.output.split(separator: "\n").count == 1, "\(early.output)")
                    try await broker.startApplication()
                    try await eventually(within: .seconds(60), "watching again") {
                        tail.output.split(separator: "\n").filter { $0.contains("watching") }.count == 2
                    }
                    #expect(try await send(["back"], url, in: folder).code == 0)
                    try await eventually(within: .seconds(60), "the record") { tail.output.contains(": back") }
                    await tail.stop()
                }
            }
        }

        @Test("a wrong password is refused with 69, and is never shown")
        func password() async throws {
            try await withRabbitMQ { broker in
                try await withTemporaryFolder { folder in
                    let url = "amqp://guest:s3cret@127.0.0.1:\(broker.port)"
                    let refused = try await send(["x"], url, in: folder)
                    #expect(refused.code == 69)
                    #expect(refused.output.contains("password"))
                    #expect(refused.output.split(separator: "\n").count == 1, "\(refused.output)")
                    #expect(!refused.output.contains("s3cret"))
                }
            }
        }

        @Test(
            "a wrong command line is refused with 64, naming the option",
            arguments: [
                (["tail", "--url", "http://x"], "http"), (["tail", "--level", "loud"], "level"),
                (["tail", "--grep", "("], "--grep"), (["send", "--timeout", "0", "x"], "--timeout"),
                (["top", "--count", "0"], "--count"), (["tail", "--count", "0"], "--count"),
                (["send", "--level", "loud", "x"], "one of the following: trace, debug, info"),
                (["send", "--url", "tcp://127.0.0.1:1", "--url", "tcp://127.0.0.1:2", "x"], "--url"),
            ])
        func usage(arguments: [String], names: String) async throws {
            try await withTemporaryFolder { folder in
                let command = try await logcast(arguments, in: folder)
                #expect(try await command.waitForExit() == 64)
                #expect(command.output.contains(names), "\(command.output)")
            }
        }

        /// Sends over ZeroMQ to a tail, and returns what both wrote.
        private func overPeers(
            _ arguments: [String], input: String = "/dev/null", count: Int, in folder: String
        ) async throws -> (tail: String, sender: String) {
            let url = "tcp://127.0.0.1:\(try freePort())"
            let tail = try await logcast(["tail", "--url", "\(url)?bind", "--count", "\(count)"], in: folder)
            let sent = try await send(["--timeout", "30"] + arguments, url, input: input, in: folder)
            #expect(sent.code == 0, "\(sent.output)")
            #expect(try await tail.waitForExit(within: .seconds(60)) == 0)
            return (tail.output, sent.output)
        }

        @Test("a line that is too long is cut with a mark at its end, and that is said; the lines around it are whole")
        func longLines() async throws {
            try await withTemporaryFolder { folder in
                let limit = 512 << 10
                let kept = limit - 36
                let lengths = [10, 3_000_000, limit, limit + 1, 20, 1_000_000]
                let lines = lengths.map { String(repeating: "x", count: $0) }
                // The last line has no line feed.
                try writeText(lines.joined(separator: "\n"), to: "\(folder)/in")
                let (tail, sender) = try await overPeers([], input: "\(folder)/in", count: lines.count, in: folder)
                let came = tail.split(separator: "\n").compactMap { line in
                    line.contains(" INFO logcast[") ? line.split(separator: "]: ").last.map(String.init) : nil
                }
                let expected = lines.map { line in
                    line.count <= limit ? line : "\(line.prefix(kept))\u{2026} (\(line.count - kept) more bytes)"
                }
                #expect(came.map(\.count) == expected.map(\.count))
                #expect(came == expected)
                let said = sender.split(separator: "\n").filter { $0.hasPrefix("logcast: ") }
                #expect(
                    said
                        == [2, 4, 6].map {
                            "logcast: line \($0) is longer than \(limit) bytes: \(lengths[$0 - 1] - kept) bytes at its end "
                                + "are left out"
                        })
            }
        }

        @Test("a viewer over ZeroMQ that does not keep up is waited for, and misses nothing")
        func slowPeer() async throws {
            try await withTemporaryFolder { folder in
                let url = "tcp://127.0.0.1:\(try freePort())"
                let lines = 60_000
                // Who reads its output stands still for a while.
                let script = """

                    exec "$0" tail --url "$1?bind" --count \(lines) | (sleep 2; exec tail -n 1)
                    """

                let tail = try await ChildProcess.start(
                    "sh", ["-c", script, Repository.executable("logcast"), url], in: folder)
                let filler = String(repeating: "x", count: 500)
                try writeText((1...lines).map { "\($0) \(filler)\n" }.joined(), to: "\(folder)/in")
                let sent = try await send(["--timeout", "60"], url, input: "\(folder)/in", in: folder)
                #expect(sent.code == 0, "\(sent)")
                #expect(try await tail.waitForExit(within: .seconds(60)) == 0)
                #expect(tail.output.contains("]: \(lines) x"), "\(tail.output.suffix(1000))")
                #expect(!tail.output.contains("missed"), "\(tail.output.prefix(1000))")
            }
        }

        @Test("send names the line from which on some may be missing, when its viewer over ZeroMQ stands still")
        func stoppedPeer() async throws {
            try await withTemporaryFolder { folder in
                let port = try freePort()
                let url = "tcp://127.0.0.1:\(port)"
                let tail = try await logcast(["tail", "--url", "\(url)?bind"], in: folder)
                // It has a second only until somebody watches.
                try await eventually("a tail that listens") { accepts(port: port) }
                let line = try await send(
                    until: 200_000, holding: { tail.signal(SIGSTOP) }, at: tail, url, in: folder)
                tail.signal(SIGCONT)
                try await shows(all: line - 1, tail)
                await tail.stop()
            }
        }

        @Test("send names the line from which on some may be missing, when the broker takes nothing any more")
        func stoppedBroker() async throws {
            try await withRabbitMQ { broker in
                try await withTemporaryFolder { folder in
                    let url = "amqp://127.0.0.1:\(broker.port)"
                    let tail = try await watch(["tail"], url, in: folder)
                    let line = try await send(until: 100_000, holding: { broker.freeze() }, at: tail, url, in: folder)
                    broker.thaw()
                    try await shows(all: line - 1, tail)
                    await tail.stop()
                }
            }
        }

        /// Sends lines; when ten were seen who takes them is held, and more follow, so many that there is no room for them.
        ///
        /// - Returns: The line that is named.
        private func send(
            until last: Int, holding hold: () -> Void, at tail: ChildProcess, _ url: String, in folder: String
        ) async throws -> Int {
            let filler = String(repeating: "x", count: 200)
            let script = """

                (seq 1 10; while [ ! -e "$2" ]; do sleep 0.05; done; seq -f '%.0f \(filler)' 11 \(last)) |
                    exec "$0" send --timeout 1 --url "$1"
                """

            let arguments = ["-c", script, Repository.executable("logcast"), url, "\(folder)/go"]
            let sender = try await ChildProcess.start("sh", arguments, in: folder)
            try await eventually(within: .seconds(30), "ten lines") { tail.output.contains("]: 10\n") }
            hold()
            try writeText("", to: "\(folder)/go")
            #expect(try await sender.waitForExit(within: .seconds(60)) == 69)
            let words = try #require(sender.output.firstMatch(of: /; line ([0-9]+) and those after it may be missing/))
            let line = try #require(Int(words.output.1), "\(sender.output)")
            #expect(line > 1 && line < last - 10_000, "\(sender.output)")
            return line
        }

        /// Waits until a tail shows lines from 1 to a number, without a gap.
        private func shows(all last: Int, _ tail: ChildProcess) async throws {
            func shown() -> [Int] {
                tail.output.matches(of: /logcast\[[0-9]+\]: ([0-9]+)/).compactMap { Int($0.output.1) }
            }
            try await eventually(within: .seconds(30), "line \(last)") { shown().count >= last }
            #expect(shown().prefix(last).elementsEqual(1...last))
        }

        @Test("a user who may not write is told so, and exits with 69")
        func noPermission() async throws {
            try await withRabbitMQ { broker in
                try await withTemporaryFolder { folder in
                    try await broker.evaluate(
                        #"""
                        ok = rabbit_auth_backend_internal:add_user(<<"reader">>, <<"secret">>, <<"test">>),
                        ok = rabbit_auth_backend_internal:set_permissions(
                            <<"reader">>, <<"/">>, <<".*">>, <<"nothing">>, <<".*">>, <<"test">>)
                        """#)
                    let url = "amqp://reader:secret@127.0.0.1:\(broker.port)"
                    let refused = try await send(["--timeout", "1", "x"], url, in: folder)
                    #expect(refused.code == 69)
                    #expect(refused.output.contains("403"), "\(refused.output)")
                    #expect(refused.output.split(separator: "\n").count == 1, "\(refused.output)")
                }
            }
        }

        @Test("a long line that has ended does not wait for the next one")
        func longLineAlone() async throws {
            try await withTemporaryFolder { folder in
                let url = "tcp://127.0.0.1:\(try freePort())"
                let tail = try await logcast(["tail", "--url", "\(url)?bind", "--count", "1"], in: folder)
                try writeText(String(repeating: "x", count: 3_000_000) + "\n", to: "\(folder)/in")
                let script = "(cat '\(folder)/in'; exec sleep 60) | exec \"$0\" send --timeout 30 --url \(url)"
                let sender = try await ChildProcess.start(
                    "sh", ["-c", script, Repository.executable("logcast")], in: folder)
                #expect(try await tail.waitForExit(within: .seconds(60)) == 0)
                #expect(tail.output.contains("more bytes)"))
                await sender.stop()
            }
        }

        @Test("a closed standard input is at its end, and with closed descriptors a text is sent all the same")
        func closedDescriptors() async throws {
            try await withTemporaryFolder { folder in
                let url = "tcp://127.0.0.1:\(try freePort())"
                let tail = try await logcast(["tail", "--url", "\(url)?bind", "--count", "1"], in: folder)
                for (arguments, redirection) in [("", "<&-"), ("text", "<&- >&- 2>&-")] {
                    let script = "exec \"$0\" send --timeout 25 --url \(url) \(arguments) \(redirection)"
                    let (code, output) = try await TestServers.run(
                        "sh", ["-c", script, Repository.executable("logcast")])
                    #expect(code == 0, "\(redirection): \(output)")
                }
                #expect(try await tail.waitForExit(within: .seconds(60)) == 0)
                #expect(tail.output.contains("]: text"), "\(tail.output)")
            }
        }

        @Test("a bind that other hosts can reach is warned of at the start")
        func openBind() async throws {
            try await withTemporaryFolder { folder in
                let port = try freePort()
                for (host, isOpen) in [("*", true), ("127.0.0.1", false)] {
                    let arguments = ["top", "--url", "tcp://\(host):\(port)?bind", "--interval", "0.1", "--count", "1"]
                    let top = try await logcast(arguments, in: folder)
                    #expect(try await top.waitForExit() == 0, "\(top.output)")
                    #expect(top.output.contains("warning: whoever reaches") == isOpen, "\(top.output)")
                }
            }
        }

        @Test(
            "a configuration that is named has to be there, also when a URL is given; one that others may read is told of"
        )
        func configuration() async throws {
            try await withTemporaryFolder { folder in
                let url = "tcp://127.0.0.1:\(try freePort())"
                let missing = try await send(["--config", "\(folder)/none", "x"], url, in: folder)
                #expect(missing.code == 78 && missing.output.contains("none' does not exist"), "\(missing)")
                let file = "\(folder)/libra.cfg"
                try writeText("[broadcast]\nurl = amqp://logs:s3cret@127.0.0.1:1\n", to: file)
                for (mode, isTold) in [("644", true), ("640", false)] {
                    #expect(try await TestServers.run("chmod", [mode, file]).exitCode == 0)
                    let command = try await logcast(["send", "--config", file, "--timeout", "0.1", "x"], in: folder)
                    #expect(try await command.waitForExit() == 69)
                    let warning = "warning: \(file):2: [broadcast] url:"
                    #expect(command.output.contains(warning) == isTold, "\(command.output)")
                    #expect(!command.output.contains("s3cret"))
                }
            }
        }

        @Test("without a broker, over ZeroMQ: top counts what is sent to it by machine")
        func top() async throws {
            try await withTemporaryFolder { folder in
                let url = "tcp://127.0.0.1:\(try freePort())"
                let top = try await logcast(
                    ["top", "--url", "\(url)?bind", "--interval", "0.2", "--count", "1000"], in: folder)
                try writeText("one\ntwo\nthree\n", to: "\(folder)/in")
                let options = ["--level", "error", "--timeout", "30"]
                #expect(try await send(options, url, input: "\(folder)/in", in: folder).code == 0)
                try await eventually(within: .seconds(60), "three errors") {
                    top.output.split(separator: "\n").contains { line in
                        let words = line.split(separator: " ")
                        return words.count == 7 && words[2] == "3" && words[4] == "3" && words[6] == "three"
                    }
                }
                await top.stop()
            }
        }

        @Test("on a terminal no line of top wraps; on a dumb one nothing is written but text")
        func terminals() async throws {
            try await withTemporaryFolder { folder in
                let url = "tcp://127.0.0.1:\(try freePort())"
                let program = Repository.executable("logcast")
                let command = "stty cols 30; exec '\(program)' top --url '\(url)?bind' --interval 0.1 --count 3"
                for kind in ["xterm", "dumb"] {
                    let (code, output) = try await TestServers.run(
                        "script", ["-qec", command, "\(folder)/typescript"], environment: ["TERM": kind])
                    #expect(code == 0, "\(output)")
                    for mode in ["\u{1b}[?7l", "\u{1b}[?7h"] {
                        #expect(output.ranges(of: mode).count == (kind == "dumb" ? 0 : 3), "\(output)")
                    }
                    #expect(output.contains("\u{1b}") == (kind != "dumb"), "\(output)")
                    #expect(output.matches(of: /0 machines/).count == 3, "\(output)")
                }
            }
        }

        @Test("with --machine nothing is said of what was missed of others")
        func missedOfOthers() async throws {
            try await withTemporaryFolder { folder in
                let ports = [try freePort(), try freePort()]
                let tail = try await logcast(
                    ["tail", "--url", "tcp://127.0.0.1:\(ports[0])?bind", "--machine", "lb-*", "--count", "3"],
                    in: folder)
                let top = try await logcast(
                    [
                        "top", "--url", "tcp://127.0.0.1:\(ports[1])?bind", "--machine", "lb-*", "--interval", "0.1",
                        "--count", "300",
                    ], in: folder)
                let script = """
                    import json, sys, zmq
                    context = zmq.Context()
                    for port in sys.argv[1:]:
                        publisher = context.socket(zmq.XPUB)
                        publisher.connect("tcp://127.0.0.1:" + port)
                        publisher.recv()
                        for machine, seq in (("lb-1", 1), ("db-1", 1), ("lb-1", 3), ("db-1", 9), ("lb-1", 4)):
                            record = dict(machine=machine, level="INFO", message="x", seq=seq, run="r", pid=7)
                            publisher.send(json.dumps(record).encode())
                        publisher.close(10000)
                    context.term()
                    """
                let (code, output) = try await TestServers.run(
                    "/usr/bin/python3", ["-c", script] + ports.map { "\($0)" },
                    environment: try PythonPackages.environment(), within: .seconds(60))
                #expect(code == 0, "\(output)")
                #expect(try await tail.waitForExit(within: .seconds(30)) == 0)
                #expect(tail.output.contains("lb-1[7]: 1 records missed"), "\(tail.output)")
                #expect(!tail.output.contains("db-1"), "\(tail.output)")
                try await eventually(within: .seconds(20), "three records") {
                    top.output.split(separator: "\n").contains { line in
                        let words = line.split(separator: " ")
                        return words.count == 6 && words[0] == "lb-1" && words[2] == "3" && words[5] == "1"
                    }
                }
                #expect(!top.output.contains("db-1"), "\(top.output)")
                await top.stop()
            }
        }

        @Test("--grep finds in long records without delay: a text anywhere, else in the beginning of each line")
        func longGrep() async throws {
            try await withTemporaryFolder { folder in
                let long = String(repeating: "x", count: 100_000)
                for (expression, passes, isFound) in [
                    (".*error", "\(long) error", true), ("x+error", "\(long)error", false),
                    ("^second.*error", "first\nsecond error", true),
                ] {
                    let url = "tcp://127.0.0.1:\(try freePort())"
                    let tail = try await logcast(
                        ["tail", "--url", "\(url)?bind", "--grep", expression, "--count", "1"], in: folder)
                    for text in ["\(long) nothing", passes, "second xerror"] where tail.isRunning {
                        // The tail may be gone before the last.
                        _ = try await send(["--timeout", "2", text], url, in: folder)
                    }
                    #expect(try await tail.waitForExit(within: .seconds(60)) == 0)
                    #expect(tail.output.contains("]: second xerror") != isFound, "\(tail.output.prefix(300))")
                }
            }
        }

        @Test("a password of a URL that stands in the wrong place is not shown")
        func misplacedURL() async throws {
            try await withTemporaryFolder { folder in
                for arguments in [
                    ["tail", "amqp://logs:s3cret@h"], ["amqp://logs:s3cret@h"],
                    ["tail", "--url", "amqp://logs:12?s3cret@h/v"],
                ] {
                    let command = try await logcast(arguments, in: folder)
                    #expect(try await command.waitForExit() == 64)
                    #expect(!command.output.isEmpty && !command.output.contains("s3cret"), "\(command.output)")
                }
            }
        }

        @Test("a worker whose log every host can read says so at its start")
        func openWorker() async throws {
            try await withTemporaryFolder { folder in
                let worker = try await ForegroundWorker.start(
                    in: folder, name: "lb-7", ports: [try freePort()],
                    configuration: "[broadcast]\nurl = tcp://*:\(try freePort())")
                let said: ()? = try? await eventually("a warning") {
                    worker.log.contains(" warning ") && worker.log.contains("[broadcast] url: whoever reaches tcp://*:")
                }
                await worker.stop()
                #expect(said != nil, "\(worker.log)")
            }
        }
    }
}
