import Glibc
import Testing
import TestServers

extension EndToEnd {
    @Suite("muskrat's programs and signals", .timeLimit(.minutes(3)))
    struct MuskratSignalTests {
        @Test("Ctrl-C, which the whole process group gets, lets a program finish", arguments: [SIGINT, SIGTERM])
        func group(signal: Int32) async throws {
            try await withMuskrat { stand in
                try await stand.produce(["one", "two"])
                let program = try SlowProgram(in: stand.folder)
                let consumer = try await stand.startGroup(["consume", "A.B", "--exec", program.path])
                try await eventually("the program") { program.pid != nil }
                #expect(kill(-consumer.pid, signal) == 0)
                try await program.letGo()
                #expect(try await consumer.waitForExit() == 0, "\(consumer.output)")
                #expect(program.done == "one", "\(consumer.output)")
                #expect(try await stand.consume() == ["two"])
            }
        }

        @Test("a second signal ends the program as well, and its message comes again")
        func second() async throws {
            try await withMuskrat { stand in
                try await stand.produce(["one", "two"])
                let program = try SlowProgram(in: stand.folder)
                let consumer = try await stand.startGroup(["consume", "A.B", "--exec", program.path])
                try await eventually("the program") { program.pid != nil }
                let pid = try #require(program.pid)
                // Two that come at once are one.
                try await eventually("the end") {
                    consumer.signal(SIGINT)
                    return !consumer.isRunning
                }
                #expect(try await consumer.waitForExit() == 128 + SIGINT)
                try await eventually("the program's end") { !isRunning(pid) }
                #expect(program.done == "")
                #expect(try await stand.consume() == ["one", "two"])
            }
        }

        @Test("a store that does not answer keeps a consumer from ending for some seconds only")
        func hangingStore() async throws {
            try await withSeaweedFS { server in
                try await withMuskrat { stand in
                    let relay = try TCPRelay(to: server.login.port)
                    defer { relay.close() }
                    let broker =
                        "s3://\(server.login.bucket)/hang?endpoint=http://127.0.0.1:\(relay.port)&path-style=true"
                    let environment = server.login.environment
                    let out = "\(stand.folder)/out"
                    for key in ["A.B", "A.C"] {
                        let produced = try await stand.muskrat(
                            ["produce", key, "--broker", broker], input: "one\n", environment: environment)
                        #expect(produced.exitCode == 0, "\(produced)")
                    }
                    let consumer = try await stand.start(
                        ["consume", "A.*", "--broker", broker, "--follow"], output: out, environment: environment)
                    try await eventually("both lines") { readText(out) == "one\none\n" }
                    // Until the cursors are moved, there is more to wait for than leases.
                    try await eventually("the cursors") {
                        let list = try await stand.muskrat(["cursors", "--broker", broker], environment: environment)
                        return list.output.split(separator: "\n").count { $0.split(separator: " ")[2] == "2" } == 2
                    }
                    relay.become(.blackHole)
                    consumer.signal(SIGTERM)
                    // A store has 60 s to answer.
                    #expect(try await consumer.waitForExit(within: .seconds(40)) == 0, "\(consumer.output)")
                }
            }
        }
    }
}

/// A program for --exec that waits until it is let go, and then writes down its message.
private struct SlowProgram {
    let path: String
    private let folder: String

    init(in folder: String) throws {
        self.folder = folder
        path = "\(folder)/program"
        guard mkfifo("\(folder)/go", 0o600) == 0 else { throw TestServerError("cannot make a FIFO in \(folder)") }
        try writeText(
            "#!/bin/sh\necho $$ > '\(folder)/begun'; read x < '\(folder)/go' && cat >> '\(folder)/done'\n", to: path,
            mode: 0o755)
    }

    /// The process that runs it, as soon as it has begun.
    var pid: Int32? { Int32(readText("\(folder)/begun").filter(\.isNumber)) }

    /// The messages that it has come to an end with.
    var done: String { readText("\(folder)/done") }

    /// Has the run that waits come to its end.
    func letGo() async throws { _ = try await run("sh", ["-c", "echo > '\(folder)/go'"]) }
}
