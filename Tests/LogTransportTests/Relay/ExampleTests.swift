import Glibc
import LogTransport
import TestServers
import Testing

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
}
