import Glibc
import LogTransport
import Synchronization
import TestServers
import Testing
import ZeroMQ

/// The examples of the documentation, as they stand there.
@Suite struct ExampleTests {
    @Test("the server in three lines relays standard input until it ends") func server() async throws {
        try await withTemporaryFolder { folder in
            try writeText("first\nsecond\n", to: folder + "/input")
            await #expect(processExitsWith: .success) { [folder = folder as String] in
                let input = open(folder + "/input", O_RDONLY)
                dup2(input, 0)
                let peer = try Peer(connectingTo: "ipc://\(folder)/socket")
                _ = try await blocking {
                    try StdinRelay(binding: "ipc://\(folder)/socket").run()
                }
                try await eventually { peer.received == ["first", "second"] }
            }
        }
    }

    @Test("a relay keeps the newlines of lines where its options say so") func newlines() async throws {
        try await withTemporaryFolder { folder in
            try writeText("first\nsecond\nlast", to: folder + "/input")
            await #expect(processExitsWith: .success) { [folder = folder as String] in
                let input = open(folder + "/input", O_RDONLY)
                dup2(input, 0)
                let peer = try Peer(connectingTo: "ipc://\(folder)/socket")
                _ = try await blocking {
                    var options = RelayOptions()
                    options.keepsNewline = true
                    try StdinRelay(binding: "ipc://\(folder)/socket", options: options).run()
                }
                try await eventually { peer.received == ["first\n", "second\n", "last"] }
            }
        }
    }

    @Test("the caster of the documentation casts") func caster() async throws {
        try await withTemporaryFolder { folder in
            let endpoint = "ipc://\(folder)/socket"
            let peer = try Peer(connectingTo: endpoint)
            let caster = try await Caster(binding: endpoint)
            try await caster.cast("started")
            let report = try await caster.close()
            #expect(report.linesOut == 1)
            try await eventually { peer.received == ["started"] }
            await peer.stop()
        }
    }

    @Test("the client in five lines gets the text of each message") func client() async throws {
        try await withTemporaryFolder { folder in
            let endpoint = "ipc://\(folder)/socket"
            let caster = try await Caster(binding: endpoint)
            for text in ["first", "second"] { try await caster.cast(text) }
            var texts: [String] = []
            let receiver = try Receiver(endpoint)
            for try await message in receiver {
                texts.append(message.text)
                if texts.count == 2 { break }
            }
            #expect(texts == ["first", "second"])
            await receiver.close()
            try await caster.close()
        }
    }

    @Test("the socket of the documentation receives until its context is shut down") func socket() async throws {
        try await withTemporaryFolder { folder in
            let endpoint = "ipc://\(folder)/socket"
            let caster = try await Caster(binding: endpoint)
            try await caster.cast("started")
            let context = try Context()
            let texts = Mutex<[String]>([])
            let error = await #expect(throws: ZeroMQError.self) {
                try await blocking {
                    var socket = try Socket(.pull, in: context)
                    try socket.connect(Endpoint(endpoint))
                    var message = Message()
                    while try socket.receive(into: &message, wait: true) {
                        texts.withLock { $0.append(String(decoding: message.bytes, as: UTF8.self)) }
                        context.shutdown()
                    }
                }
            }
            #expect(error?.code == .terminated)
            #expect(texts.withLock { $0 } == ["started"])
            try await caster.close()
        }
    }
}
