import Gearman
import Glibc
import LoadBalancing
import TestServers
import Testing

extension EndToEnd {
    @Suite("METRICS")
    struct MetricsTests {
        private func bytes(_ reply: JSONValue) -> Int? {
            guard reply.isPass else { return nil }
            return reply["loadBalancers"]?.array?.reduce(0) { $0 + (Int($1["bytes_out"]?.description ?? "") ?? 0) }
        }

        @Test("libra_client shows them in a table, and every byte once, also when the worker is killed amid answers")
        func kills() async throws {
            try await withGearmanServer { server in
                try await withTemporaryFolder { folder in
                    let node = try NamedNode("a")
                    let front = try freePort()
                    let client = try Client(servers: [try JobServer(host: "127.0.0.1", port: server.port)])
                    let text = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na"
                    var served = 0
                    var reported = 0
                    func start() async throws -> ForegroundWorker {
                        let worker = try await ForegroundWorker.start(
                            in: folder, name: "metered", ports: [server.port], user: nil, arguments: [],
                            configuration: "")
                        try await untilRegistered(worker, at: server)
                        return worker
                    }
                    var worker = try await start()
                    let update = updateRequest(front: front, nodes: [node.port], ["protocol": "TCP"])
                    let reply = try JSONValue(
                        parsing: try await client.submit(
                            function: "metered", workload: update.bytes(), timeout: .seconds(30)))
                    #expect(reply.isPass, "\(reply)")
                    for round in 0..<8 {
                        for _ in 0...round {
                            #expect(await askForName(port: front) == "a")
                            served += text.utf8.count
                        }
                        let metrics: JSONValue = ["hpcs_action": "METRICS"]
                        async let answer = client.submit(
                            function: "metered", workload: metrics.bytes(), timeout: .seconds(60))
                        try? await Task.sleep(for: .milliseconds(round * 2))
                        await worker.kill()
                        worker = try await start()
                        reported += try #require(bytes(try JSONValue(parsing: try await answer)))
                    }
                    // HAProxy counts a session when it has ended, which may be after its client has.
                    try await eventually("every byte is reported: \(served)") {
                        let answer = try await client.submit(
                            function: "metered", workload: #"{"hpcs_action":"METRICS"}"#.utf8.map { $0 },
                            timeout: .seconds(30))
                        reported += try #require(bytes(try JSONValue(parsing: answer)))
                        return reported >= served
                    }
                    #expect(reported == served)
                    let table = try await command(
                        Repository.executable("libra_client"),
                        ["metrics", "--table", "--server", "127.0.0.1:\(server.port)", "--worker", "metered"])
                    #expect(table.output.contains("BYTES OUT") && table.output.contains("tcp-15"), "\(table)")
                    await worker.stop()
                }
            }
        }
    }
}
