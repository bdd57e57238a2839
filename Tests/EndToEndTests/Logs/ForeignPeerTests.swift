import Glibc
import JSON
import TestServers
import Testing

extension EndToEnd {
    @Suite("A ZeroMQ peer that this project did not write", .timeLimit(.minutes(2)))
    struct ForeignPeerTests {
        /// Lines with quotes, backslashes, tabs and characters of several bytes.
        private static let lines = (0..<3000).map {
            "\($0) \"GET /\\\($0 % 7)\" \t äöü 漢字 🐘 \(String(repeating: "x", count: $0 % 300))"
        }

        @Test("hayrack serve shares its lines among all pullers of pyzmq")
        func serve() async throws {
            try await withTemporaryFolder { folder in
                let endpoint = "tcp://127.0.0.1:\(try freePort())"
                let peers = [
                    try await PythonPeer.pull(.connect, endpoint, in: folder),
                    try await PythonPeer.pull(.connect, endpoint, in: folder),
                ]
                let tool = try await start("hayrack", ["serve", "--bind", endpoint], lines: Self.lines, in: folder)
                try await eventually("all lines") { peers.map(\.messages.count).reduce(0, +) >= Self.lines.count }
                let shares = peers.map(\.messages)
                #expect(Set(shares.joined()) == Set(Self.lines))
                for share in shares {
                    // What one of them gets is in order.
                    let numbers = share.compactMap { Int($0.prefix { $0 != " " }) }
                    #expect(numbers == numbers.sorted() && numbers.count == share.count)
                }
                #expect(try await tool.waitForExit() == 0)
                for peer in peers { await peer.stop() }
            }
        }

        @Test("zmqpush connects to a puller of pyzmq, which reads its objects")
        func push() async throws {
            try await withTemporaryFolder { folder in
                let endpoint = "tcp://127.0.0.1:\(try freePort())"
                let peer = try await PythonPeer.pull(.bind, endpoint, in: folder)
                let tool = try await start("zmqpush", ["access", "--connect", endpoint], lines: Self.lines, in: folder)
                let objects = try await peer.messages(Self.lines.count).map { try JSONValue(parsing: Array($0.utf8)) }
                #expect(objects.map { $0["message"]?.string } == Self.lines)
                #expect(objects.allSatisfy { $0["type"]?.string == "access" && $0["@pid"] == .number(Int(tool.pid)) })
                #expect(try await tool.waitForExit() == 0)
                // What it logs stands there too.
                let last = tool.output.split(separator: "\n").filter { $0.hasPrefix("Processed ") }
                #expect(last.count == 1 && last[0].hasPrefix("Processed \(Self.lines.count) messages in "))
                #expect(last.allSatisfy { $0.hasSuffix("ms. Tagged with @pid:\(tool.pid)") })
                await peer.stop()
            }
        }

        @Test("zmqpush --empty-topic sends an empty frame before each object")
        func emptyTopic() async throws {
            try await withTemporaryFolder { folder in
                let endpoint = "tcp://127.0.0.1:\(try freePort())"
                let peer = try await PythonPeer.pull(.bind, endpoint, in: folder)
                let arguments = ["--empty-topic", "--connect", endpoint]
                let tool = try await start("zmqpush", arguments, lines: ["one", "two"], in: folder)
                let messages = try await peer.messages(2)
                #expect(messages.allSatisfy { $0.hasPrefix("\n{") })
                #expect(messages.first?.contains("\"one\"") == true && messages.last?.contains("\"two\"") == true)
                #expect(try await tool.waitForExit() == 0)
                await peer.stop()
            }
        }

        @Test("zmqpush waits for a puller that comes late, and loses nothing")
        func latePeer() async throws {
            try await withTemporaryFolder { folder in
                let endpoint = "tcp://127.0.0.1:\(try freePort())"
                let tool = try await start("zmqpush", ["--connect", endpoint], lines: Self.lines, in: folder)
                try await Task.sleep(for: .milliseconds(300))
                #expect(tool.isRunning)
                let peer = try await PythonPeer.pull(.bind, endpoint, in: folder)
                let objects = try await peer.messages(Self.lines.count).map { try JSONValue(parsing: Array($0.utf8)) }
                #expect(objects.map { $0["message"]?.string } == Self.lines)
                #expect(try await tool.waitForExit() == 0)
                await peer.stop()
            }
        }

        @Test("hayrack receive takes what pushers of pyzmq send, from several of them")
        func receive() async throws {
            try await withTemporaryFolder { folder in
                let endpoints = ["tcp://127.0.0.1:\(try freePort())", "tcp://127.0.0.1:\(try freePort())"]
                let halves = [Array(Self.lines.prefix(1000)), Array(Self.lines.dropFirst(1000))]
                var peers: [PythonPeer] = []
                for (endpoint, half) in zip(endpoints, halves) {
                    let file = "\(folder)/half-\(peers.count)"
                    try writeText(half.map { $0 + "\n" }.joined(), to: file)
                    peers.append(try await PythonPeer.push(file, .bind, endpoint, in: folder))
                }
                let output = folder + "/received"
                let arguments = ["receive", "--count", "\(Self.lines.count)", "--output", output] + endpoints
                let tool = try await ChildProcess.start(Repository.executable("hayrack"), arguments, in: folder)
                #expect(try await tool.waitForExit() == 0, "\(tool.output)")
                let received = readText(output).split(separator: "\n").map(String.init)
                #expect(received.count == Self.lines.count)
                for half in halves {
                    let isOurs = Set(half)
                    #expect(received.filter { isOurs.contains($0) } == half)
                }
                for peer in peers { await peer.stop() }
            }
        }

        private func start(
            _ tool: String, _ arguments: [String], lines: [String], in folder: String
        ) async throws -> ChildProcess {
            let input = folder + "/lines"
            try writeText(lines.map { $0 + "\n" }.joined(), to: input)
            return try await ChildProcess.start(Repository.executable(tool), arguments, input: input, in: folder)
        }
    }
}
