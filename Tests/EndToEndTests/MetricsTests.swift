import Gearman
import Glibc
import HAProxy
import JSON
import LoadBalancing
import SystemPackage
import TestServers
import Testing

extension EndToEnd {
    @Suite("METRICS")
    struct MetricsTests {
        /// What the node "a" sends for a request.
        private let text = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na"

        private func bytes(_ reply: JSONValue) -> Int? {
            guard reply.isPass else { return nil }
            return reply["loadBalancers"]?.array?.reduce(0) { $0 + (Int($1["bytes_out"]?.description ?? "") ?? 0) }
        }

        @Test("libra_client shows them in a table, and every byte once, also when the worker is killed amid answers")
        func kills() async throws {
            try await withRelay { relay, client, restart, serve in
                var served = 0
                var reported = 0
                for round in 0..<8 {
                    served += try await serve(1 + round)
                    async let answer = client.send(metrics, to: "relayed", within: .seconds(60))
                    try? await Task.sleep(for: .milliseconds(round * 2))
                    try await restart()
                    let reply = try await answer
                    reported += try #require(bytes(reply), "\(reply)")
                }
                let reply = try await client.send(metrics, to: "relayed")
                reported += try #require(bytes(reply), "\(reply)")
                #expect(reported == served)
                let table = try await libraClient(
                    "metrics", "--table", "--server", "127.0.0.1:\(relay.port)", "--worker", "relayed")
                #expect(table.output.contains("BYTES OUT") && table.output.contains("tcp-15"), "\(table)")
            }
        }

        /// A worker that reaches its job server through a relay, and a TCP balancer of its.
        private func withRelay(
            _ body: (
                TCPRelay, Client, _ restart: () async throws -> Void, _ serve: (Int) async throws -> Int
            ) async throws -> Void
        ) async throws {
            try await withGearmanServer { server in
                try await withTemporaryFolder { folder in
                    let node = try NamedNode("a")
                    let front = try freePort()
                    let relay = try TCPRelay(to: server.port)
                    defer { relay.close() }
                    let client = try client(of: server)
                    func start() async throws -> ForegroundWorker {
                        let worker = try await ForegroundWorker.start(
                            in: folder, name: "relayed", ports: [relay.port], arguments: ["--reconnect-sleep", "1"])
                        try await untilRegistered(worker, at: server)
                        return worker
                    }
                    var worker = try await start()
                    let result: Result<Void, any Error>
                    do {
                        let update = updateRequest(front: front, nodes: [node.port], ["protocol": "TCP"])
                        #expect(try await client.send(update, to: "relayed").isPass)
                        try await body(
                            relay, client,
                            {
                                await worker.kill()
                                relay.become(.forward)
                                worker = try await start()
                            },
                            { requests in
                                for _ in 0..<requests { #expect(await askForName(port: front) == "a") }
                                // HAProxy counts a session when it has ended, which may be after its client has.
                                let socket = RuntimeClient(socket: FilePath("\(worker.stateFolder)/haproxy.sock"))
                                try await eventually("the end of the sessions") {
                                    try await socket.statistics(kinds: .backends).rows
                                        .allSatisfy { $0.currentSessions == 0 }
                                }
                                return requests * text.utf8.count
                            })
                        result = .success(())
                    } catch {
                        result = .failure(error)
                    }
                    await worker.stop()
                    try result.get()
                }
            }
        }

        private let metrics: JSONValue = ["hpcs_action": "METRICS"]

        @Test(
            "an answer whose connection is cut on its way is not reported: the next METRICS has it, and nothing twice")
        func cutOff() async throws {
            try await withRelay { relay, client, _, serve in
                var served = try await serve(3)
                relay.become(.endBefore("bytes_out"))
                // The client gives up, and so does the job server for it; until then its answer is cut again and again.
                await #expect(throws: (any Error).self) {
                    try await client.send(metrics, to: "relayed", within: .seconds(4))
                }
                #expect(relay.interventions > 0)
                served += try await serve(2)
                relay.become(.forward)
                #expect(bytes(try await client.send(metrics, to: "relayed")) == served)

                // A client that waits has it when the job comes again.
                let count = relay.interventions
                let more = try await serve(1)
                relay.become(.endBefore("bytes_out"))
                async let answer = client.send(metrics, to: "relayed")
                try await eventually("the cut") { relay.interventions > count }
                relay.become(.forward)
                #expect(bytes(try await answer) == more)
                #expect(bytes(try await client.send(metrics, to: "relayed")) == 0)
            }
        }

        @Test("a worker that is killed with its report written and its answer on the way gives that report again")
        func killedWithAnswer() async throws {
            try await withRelay { relay, client, restart, serve in
                let first = try await serve(3)
                relay.become(.discardFrom("bytes_out"))
                async let answer = client.send(metrics, to: "relayed")
                try await eventually("an answer that is kept back") { relay.interventions > 0 }
                let second = try await serve(2)
                try await restart()
                let reply = try await answer
                #expect(bytes(reply) == first)
                let next = try await client.send(metrics, to: "relayed")
                #expect(bytes(next) == second)
                #expect(next["utc_start"]?.string == reply["utc_end"]?.string)
            }
        }
    }
}
