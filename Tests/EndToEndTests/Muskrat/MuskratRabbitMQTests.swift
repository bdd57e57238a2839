import Glibc
import JSON
import Testing
import TestServers

extension EndToEnd {
    @Suite("muskrat and RabbitMQ", .timeLimit(.minutes(4)))
    struct MuskratRabbitMQTests {
        private func url(_ server: RabbitMQServer) -> String { "amqp://guest:guest@127.0.0.1:\(server.port)" }

        @Test("what is produced is consumed by each name, once a queue is there, and shows no password")
        func carries() async throws {
            try await withRabbitMQ { server in
                try await withMuskrat { stand in
                    let broker = ["--broker", url(server)]
                    // Nobody has read yet, so no queue takes it.
                    let early = try await stand.muskrat(["produce", "A.B"] + broker, input: "lost\n")
                    #expect(early.exitCode == 1, "\(early)")
                    #expect(early.complaints.contains("start a consumer once"), "\(early)")
                    #expect(early.complaints.contains("allow_unroutable=true"), "\(early)")
                    #expect(early.complaints.contains("1 message of A.B not stored"), "\(early)")
                    #expect(!early.complaints.contains("guest:guest"), "\(early)")

                    for name in ["one", "two"] {
                        let empty = try await stand.muskrat(["consume", "A.*", "--name", name] + broker)
                        #expect(empty.exitCode == 0, "\(empty)")
                        #expect(empty.output.isEmpty)
                    }
                    let lines = numberedLines(1...500)
                    let produced = try await stand.muskrat(
                        ["produce", "a.b"] + broker, input: lines.map { $0 + "\n" }.joined())
                    #expect(produced.exitCode == 0, "\(produced)")
                    #expect(produced.complaints.contains("500 messages stored"), "\(produced)")
                    let got = try await stand.muskrat(["consume", "A.*", "--name", "one"] + broker)
                    #expect(got.output == lines.map { $0 + "\n" }.joined(), "\(got.complaints)")
                    #expect(try await stand.muskrat(["consume", "A.*", "--name", "one"] + broker).output.isEmpty)
                    let json = try await stand.muskrat(["consume", "A.*", "--name", "two", "--json"] + broker).lines()
                    #expect(json.count == 500)
                    #expect(json.first?["key"] == "A.B")
                    #expect(json.first?["delivery"] == 1)
                    #expect(json.first?["text"] == "line 1")
                }
            }
        }

        @Test("what RabbitMQ does not offer is 64, and says what to do instead")
        func notOffered() async throws {
            try await withRabbitMQ { server in
                try await withMuskrat { stand in
                    for (arguments, words) in [
                        (["keys"], "only logs on object stores can list theirs"),
                        (["consume", "A.B", "--from", "end"], "leave the start out"),
                        (["consume", "A.B", "--from", "beginning", "--reset"], "leave the start out"),
                        (["consume", "A.B", "--cursor", "other"], "leave the cursor's name out"),
                        (["cursors", "list", "A.B"], "no cursors"), (["verify"], "no numbered log"),
                    ] {
                        let result = try await stand.muskrat(arguments + ["--broker", url(server)])
                        #expect(result.exitCode == 64, "\(arguments): \(result)")
                        #expect(result.complaints.contains(words), "\(arguments): \(result)")
                    }
                }
            }
        }

        @Test("a program that fails has its message put aside, and a consumer that is killed loses nothing")
        func programs() async throws {
            try await withRabbitMQ { server in
                try await withMuskrat { stand in
                    let broker = ["--broker", url(server)]
                    for key in ["A.B", "Dead"] { _ = try await stand.muskrat(["consume", key] + broker) }
                    _ = try await stand.muskrat(["produce", "A.B"] + broker, input: "good\nbad\nfine\n")
                    let script = "\(stand.folder)/program"
                    try writeText(
                        "#!/bin/sh\nread line; [ \"$line\" != bad ] && echo \"$line\"\n", to: script, mode: 0o755)
                    let result = try await stand.muskrat(
                        ["consume", "A.B", "--attempts", "1", "--dead-letters", "Dead", "--exec", script] + broker)
                    #expect(result.exitCode == 0, "\(result)")
                    #expect(result.output == "good\nfine\n")
                    let dead = try await stand.muskrat(["consume", "Dead"] + broker).value()
                    #expect(dead["text"] == "bad")
                    #expect(dead["key"] == "A.B")
                    #expect(dead["broker"]?.string?.contains("guest:guest") == false, "\(dead)")

                    // Killed with the message in hand.
                    _ = try await stand.muskrat(["produce", "A.B"] + broker, input: "one\ntwo\n")
                    let begun = "\(stand.folder)/begun"
                    try writeText("#!/bin/sh\ntouch '\(begun)'; exec sleep 60\n", to: script, mode: 0o755)
                    let consumer = try await stand.start(["consume", "A.B", "--exec", script] + broker)
                    try await eventually("the program") { exists(begun) }
                    await consumer.kill()
                    try await eventually(within: .seconds(30), "both lines") {
                        let rest = try await stand.muskrat(["consume", "A.B"] + broker)
                        return rest.output == "one\ntwo\n"
                    }
                }
            }
        }

        @Test("a second consumer of a name waits for the first, says so, and gets what that one leaves")
        func turns() async throws {
            try await withRabbitMQ { server in
                try await withMuskrat { stand in
                    let broker = ["--broker", url(server)]
                    _ = try await stand.muskrat(["consume", "A.B"] + broker)
                    let lines = numberedLines(1...50)
                    _ = try await stand.muskrat(
                        ["produce", "A.B"] + broker, input: lines.map { $0 + "\n" }.joined())
                    let (begun, script) = ("\(stand.folder)/begun", "\(stand.folder)/program")
                    try writeText("#!/bin/sh\ntouch '\(begun)'; exec sleep 60\n", to: script, mode: 0o755)
                    let first = try await stand.start(["consume", "A.B", "--exec", script] + broker)
                    try await eventually("the program") { exists(begun) }
                    let rest = "\(stand.folder)/rest"
                    let second = try await stand.start(["consume", "A.B"] + broker, output: rest)
                    try await eventually("the second's word") {
                        second.output.contains("another consumer of this name reads; waiting until it ends")
                    }
                    await first.kill()
                    #expect(try await second.waitForExit() == 0)
                    #expect(readText(rest) == lines.map { $0 + "\n" }.joined())
                }
            }
        }

        @Test("a copy takes what waits in its queue, and from a log to RabbitMQ everything")
        func copies() async throws {
            try await withRabbitMQ { server in
                try await withMuskrat { stand in
                    let queue = url(server)
                    // The first copy makes the queue.
                    let first = try await stand.muskrat("copy", queue, stand.broker, "--key", "A.B")
                    #expect(first.exitCode == 0, "\(first)")
                    #expect(first.complaints.contains("0 messages copied"), "\(first)")
                    let lines = numberedLines(1...300)
                    _ = try await stand.muskrat(
                        ["produce", "A.B", "--broker", queue], input: lines.map { $0 + "\n" }.joined())
                    let second = try await stand.muskrat("copy", queue, stand.broker, "--key", "A.B")
                    #expect(second.complaints.contains("300 messages copied"), "\(second)")
                    #expect(try await stand.consume() == lines)
                    let third = try await stand.muskrat("copy", queue, stand.broker, "--key", "A.B")
                    #expect(third.complaints.contains("0 messages copied"), "\(third)")

                    _ = try await stand.muskrat("consume", "A.B", "--broker", queue, "--name", "reader")
                    let back = try await stand.muskrat("copy", stand.broker, queue + "?exchange=muskrat")
                    #expect(back.exitCode == 0, "\(back)")
                    #expect(back.complaints.contains("300 messages copied"), "\(back)")
                    let got = try await stand.muskrat("consume", "A.B", "--broker", queue, "--name", "reader")
                    #expect(got.output == lines.map { $0 + "\n" }.joined())

                    // By two names that cannot be compared, what a copy sends comes back to it.
                    let other = "amqp://guest:guest@localhost:\(server.port)"
                    let itself = try await stand.muskrat(
                        "copy", queue, other, "--key", "A.B", "--name", "reader", within: .seconds(30))
                    #expect(itself.complaints.contains("0 messages copied"), "\(itself)")
                    _ = try await stand.muskrat("produce", "A.B", "--broker", queue, input: "more\n")
                    let once = try await stand.muskrat(
                        "copy", queue, other, "--key", "A.B", "--name", "reader", within: .seconds(30))
                    #expect(once.complaints.contains("1 message copied"), "\(once)")
                }
            }
        }
    }
}
