import Glibc
import Testing
import TestServers

extension EndToEnd {
    @Suite("hayrack and zmqpush that cannot start", .timeLimit(.minutes(2)))
    struct LogStartTests {
        /// A command line, the exit code, and what its one line says; `FOLDER` stands for the test's folder.
        struct Refusal: CustomTestStringConvertible {
            let program: String
            let arguments: [String]
            let exitCode: Int32
            let words: [String]
            var testDescription: String { ([program] + arguments).joined(separator: " ") }

            init(_ program: String, _ arguments: String, _ exitCode: Int32, _ words: String...) {
                self.program = program
                self.arguments = arguments.split(separator: " ").map(String.init)
                self.exitCode = exitCode
                self.words = words
            }
        }

        static let refusals = [
            Refusal("hayrack", "serve --bimd x", 64, "--bimd"),
            Refusal("hayrack", "serve --bind inproc://here", 64, "--bind", "inproc://here"),
            Refusal("hayrack", "serve --bind tcp://127.0.0.1", 64, "--bind", "tcp://127.0.0.1"),
            Refusal("hayrack", "serve --confirm", 64, "--confirm", "--spool"),
            Refusal("hayrack", "serve --sync always", 64, "--sync", "--spool"),
            Refusal("hayrack", "serve --linger soon", 64, "--linger", "soon"),
            Refusal("hayrack", "serve --max-line 0", 64, "--max-line"),
            Refusal("hayrack", "serve --config /nowhere/a.conf", 78, "/nowhere/a.conf"),
            Refusal("hayrack", "serve --curve-key FOLDER/a.key", 64, "--curve-key", "--curve-allow"),
            Refusal(
                "hayrack", "serve --curve-key FOLDER/a.key --curve-allow FOLDER/b.pub", 78, "FOLDER/a.key",
                "does not exist"),
            Refusal("hayrack", "serve --logfile /nowhere/a.log", 73, "--logfile", "/nowhere/a.log"),
            Refusal("hayrack", "receive", 64, "endpoint"),
            Refusal("hayrack", "receive tcp://127.0.0.1:1 --ids", 64, "--ids"),
            Refusal("hayrack", "receive tcp://127.0.0.1:1 --count 0", 64, "--count"),
            Refusal("hayrack", "receive tcp://127.0.0.1:1 --output /nowhere/out", 73, "/nowhere/out"),
            Refusal("hayrack", "receive tcp://*:5555", 64, "tcp://*:5555", "--bind"),
            Refusal("hayrack", "receive --delivery reliable tcp://127.0.0.1:0", 64, "tcp://127.0.0.1:0", "--bind"),
            Refusal("hayrack", "receive tcp://127.0.0.300:5555", 64, "tcp://127.0.0.300:5555"),
            Refusal("hayrack", "serve --bind tcp://localhost:5000", 69, "'localhost'", "127.0.0.1"),
            Refusal(
                "hayrack", "serve --spool FOLDER/missing/spool", 73, "FOLDER/missing/spool", "make it for that user"),
            Refusal("hayrack", "keygen /nowhere/a", 73, "/nowhere/a.key"),
            Refusal("zmqpush", "--connect nowhere", 64, "--connect", "nowhere"),
            Refusal("zmqpush", "--connect tcp://*:5014", 64, "--connect", "tcp://*:5014"),
            Refusal("zmqpush", "--encoding utf9", 64, "--encoding", "utf9"),
            Refusal("zmqpush", "--empty-topic --delivery reliable", 64, "--empty-topic"),
        ]

        @Test("say why in one line, and exit with the code for it", arguments: refusals)
        func refusal(refusal: Refusal) async throws {
            try await withTemporaryFolder { folder in
                let result = try await command(
                    Repository.executable(refusal.program),
                    refusal.arguments.map { $0.replacing("FOLDER", with: folder) })
                #expect(result.exitCode == refusal.exitCode && result.output.isEmpty, "\(result)")
                let lines = result.complaints.split(separator: "\n").filter { !$0.hasPrefix("See '") }
                #expect(lines.count == 1 && lines.first?.hasPrefix("\(refusal.program): ") == true, "\(result)")
                for word in refusal.words {
                    #expect(result.complaints.contains(word.replacing("FOLDER", with: folder)), "\(result)")
                }
            }
        }

        @Test("a port that is taken is code 69, and named")
        func takenPort() async throws {
            let port = try freePort()
            let holder = try PortHolder(port: port)
            defer { holder.release() }
            for arguments in [["serve"], ["serve", "--delivery", "reliable"]] {
                let result = try await command(
                    Repository.executable("hayrack"), arguments + ["--bind", "tcp://127.0.0.1:\(port)"])
                #expect(result.exitCode == 69 && result.complaints.contains("\(port)"), "\(result)")
            }
        }

        @Test("a spool that another process has is code 69, and named")
        func lockedSpool() async throws {
            try await withTemporaryFolder { folder in
                let input = try HeldInput(in: folder)
                let arguments = ["--connect", "tcp://127.0.0.1:\(try freePort())", "--spool", "\(folder)/spool"]
                let first = try await ChildProcess.start(
                    Repository.executable("zmqpush"), arguments, input: input.path, in: folder)
                try await eventually("a start") { first.output.contains("connects to") }
                let result = try await command(Repository.executable("zmqpush"), arguments)
                #expect(result.exitCode == 69 && result.complaints.contains("\(folder)/spool"), "\(result)")
                await first.stop()
            }
        }

        @Test("the sample configuration is read with every key that is commented out")
        func sampleConfiguration() async throws {
            try await withTemporaryFolder { folder in
                let sample = readText(Repository.file("etc/hayrack.conf"))
                let text = sample.split(separator: "\n").map { line in
                    line.hasPrefix("#") && !line.hasPrefix("# ") ? String(line.dropFirst()) : String(line)
                }.joined(separator: "\n")
                let keys = ["receivers.pub", "server.key"].map { "\(folder)/\($0)" }
                try writeText(
                    text.replacing("/etc/hayrack", with: folder).replacing("/var/log/hayrack", with: folder)
                        .replacing("/var/spool/hayrack", with: "\(folder)/spool")
                        .replacing("tcp://127.0.0.1:5000", with: "ipc://\(folder)/socket"), to: "\(folder)/hayrack.conf"
                )
                _ = try await command(Repository.executable("hayrack"), ["keygen", "\(folder)/server"])
                rename("\(folder)/server.pub", keys[0])
                let result = try await command(
                    Repository.executable("hayrack"), ["serve", "--config", "\(folder)/hayrack.conf"])
                #expect(result.exitCode == 0, "\(result)")
                #expect(readText("\(folder)/hayrack.log").contains("bound to ipc://\(folder)/socket"))
            }
        }
    }
}

/// A standard input that stays open until the test closes it.
final class HeldInput: Sendable {
    let path: String
    private let descriptor: Int32

    init(in folder: String) throws {
        path = "\(folder)/input-\(UInt32.random(in: 0 ... .max))"
        // Open for reading too, so that it does not wait for a reader.
        guard mkfifo(path, 0o600) == 0, case let file = open(path, O_RDWR | O_CLOEXEC), file >= 0 else {
            throw TestServerError("no FIFO at \(path)")
        }
        descriptor = file
    }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }

    func close() { _ = Glibc.close(descriptor) }

    /// Whether a writer would have to wait.
    var isFull: Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&item, 1, 0) == 0
    }

    /// How many bytes are in it that nobody has read.
    var waiting: Int {
        var count: Int32 = 0
        return ioctl(descriptor, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }
}
