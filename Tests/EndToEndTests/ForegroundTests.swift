import Glibc
import JSON
import LoadBalancing
import Testing
import TestServers

extension EndToEnd {
    @Suite("A worker in the foreground that runs HAProxy itself")
    struct ForegroundTests {
        @Test(
            "takes an UPDATE, balances, tells, suspends, enables and deletes, as any user",
            // Only root can become another user; the user of the tests is an ordinary one otherwise.
            arguments: geteuid() == 0 ? [nil, "nobody"] : [nil] as [String?])
        func everyAction(user: String?) async throws {
            try await withStand(user: user) { stand in
                let before = try await stand.ask("PING")
                #expect(before.failure == "HAProxy is not running.")

                let reply = try await stand.send(stand.update(["name": "web", "unknown": 18_446_744_073_709_551]))
                #expect(reply.isPass, "\(reply) \(stand.worker.log)")
                let balancer = try #require(reply["loadBalancers"]?.array?.first)
                #expect(balancer["unknown"] == 18_446_744_073_709_551)
                #expect(balancer["nodes"]?.array?.map { $0["condition"]?.string } == ["ENABLED", "ENABLED"])
                #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
                #expect(try await stand.ask("PING").isPass)

                let discovery = try await stand.ask("DISCOVER")
                let release = try #require(discovery["release"]?.string)
                #expect(release.hasPrefix("\(discovery["version"]?.string ?? "?")."))

                try await eventually("both nodes UP") {
                    let nodes = try await stand.ask("STATS")["nodes"]?.array ?? []
                    return nodes.map { $0["id"]?.string } == ["1001", "1002"]
                        && nodes.allSatisfy { $0["status"]?.string == "UP" }
                }

                #expect(try await stand.ask("SUSPEND").isPass)
                try await eventually("refused connections") { await requestHTTP(port: stand.front) == nil }
                let suspended = try await stand.ask("STATS")
                #expect(suspended.isPass)
                #expect(suspended["nodes"]?.array?.map { $0["status"]?.string } == ["DOWN", "DOWN"])
                #expect(try await stand.ask("SUSPEND").isPass)
                #expect(try await stand.ask("ENABLE").isPass)
                try await eventually("requests after ENABLE") { await requestHTTP(port: stand.front)?.status == 200 }
                #expect(try await stand.ask("ENABLE").isPass)

                #expect(try await stand.ask("DELETE").isPass)
                #expect(await requestHTTP(port: stand.front) == nil)
                #expect(stand.worker.haproxy == nil)
                let deleted = try await stand.ask("STATS")
                #expect(deleted["status"]?.string == "DELETED")
                #expect(deleted.failure == "Invalid operation STATS on a deleted LB.")

                try await stand.apply()
                #expect(try await stand.ask("PING").isPass)
            }
        }

        @Test("tells by DIAGNOSTICS how its job server and its files are")
        func diagnostics() async throws {
            // Nobody listens there, and so the network counts as down at once.
            let port = try freePort()
            try await withStand(
                configuration: "log = 127.0.0.1:514 local0\n[worker]\nnetwork_check = 127.0.0.1:\(port)"
            ) { stand in
                try await stand.apply()
                let reply = try await stand.ask("DIAGNOSTICS")
                #expect(reply.isPass)
                #expect(reply["network"]?.string == "FAIL")
                #expect(
                    reply["gearman"] == [["host": .string("127.0.0.1:\(stand.server.port)"), "status": "PASS"]],
                    "\(reply)")
                let checks = try #require(reply["checks"]?.array)
                #expect(checks.count >= 4)
                for check in checks { #expect(check["status"]?.string == "PASS", "\(check)") }
            }
        }

        @Test("does nothing for an UPDATE that changes nothing")
        func sameUpdateTwice() async throws {
            try await withStand { stand in
                try await stand.apply()
                let process = try #require(stand.worker.haproxy)
                let change = changeTime(of: "\(stand.worker.stateFolder)/haproxy.cfg")
                #expect(try await stand.send(stand.update()).isPass)
                #expect(stand.worker.haproxy == process)
                #expect(changeTime(of: "\(stand.worker.stateFolder)/haproxy.cfg") == change)
            }
        }

        @Test("keeps what it serves when an UPDATE asks for a port that is in use")
        func portInUse() async throws {
            try await withStand { stand in
                let other = try await HTTPNode.start("other", in: stand.folder)
                try await stand.apply()
                let file = readText("\(stand.worker.stateFolder)/haproxy.cfg")
                let reply = try await stand.send(stand.update(["port": .number(other.port)]))
                let reason = try #require(reply.failure)
                #expect(reason.contains("\(other.port)"), "\(reason)")
                let nodes = reply["loadBalancers"]?.array?.first?["nodes"]?.array
                #expect(nodes?.map { $0["condition"]?.string } == ["DISABLED", "DISABLED"])
                #expect(readText("\(stand.worker.stateFolder)/haproxy.cfg") == file)
                #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
                try await stand.apply(["algorithm": "LEAST_CONNECTIONS"])
                await other.stop()
            }
        }

        @Test("warns when the job server has a worker of its name already")
        func secondWorker() async throws {
            try await withStand { stand in
                try await withTemporaryFolder { folder in
                    let second = try await ForegroundWorker.start(
                        in: folder, name: stand.worker.name, ports: [stand.server.port])
                    try await eventually("a warning") {
                        second.log.split(separator: "\n").contains { line in
                            line.contains(" warning ") && line.contains(stand.worker.name)
                        }
                    }
                    await second.stop()
                }
                #expect(!stand.worker.log.contains(" warning "), "\(stand.worker.log)")
            }
        }

        @Test("refuses a state folder that another worker uses, and takes it over when that one was killed")
        func sharedStateFolder() async throws {
            try await withStand { stand in
                let folder = stand.worker.stateFolder
                let arguments = [
                    "--nodaemon", "--haproxy-service", "process", "--server", "127.0.0.1:\(stand.server.port)",
                    "--function", "second", "--config", "\(stand.folder)/\(stand.worker.name).cfg",
                ]
                let refused = try await command(Repository.executable("libra_worker"), arguments)
                #expect(refused.exitCode == 73, "\(refused)")
                #expect(refused.complaints.split(separator: "\n").count == 1, "\(refused)")
                let words = "process \(stand.worker.pid) is running and uses the folder '\(folder)'"
                #expect(refused.complaints.contains(words), "\(refused)")
                #expect(!exists("\(folder)/pending.json") && stand.worker.isRunning)

                try await stand.apply()
                await stand.worker.kill()
                let next = try await ForegroundWorker.start(
                    in: stand.folder, name: stand.worker.name, ports: [stand.server.port])
                try await untilRegistered(next, at: stand.server)
                #expect(try await stand.ask("STATS").isPass)
                await next.stop()
            }
        }

        @Test("tells systemd when it serves and when it ends, and writes no files that nobody asked for")
        func readiness() async throws {
            try await withTemporaryFolder { folder in
                let socket = "\(folder)/notify"
                let listener = try await ChildProcess.start(
                    "socat", ["-u", "UNIX-RECVFROM:\(socket),fork", "STDOUT"], in: folder)
                try await eventually("the listener") { exists(socket) }
                try await withGearmanServer { server in
                    let worker = try await ForegroundWorker.start(
                        in: folder, name: "notifying", ports: [server.port], environment: ["NOTIFY_SOCKET": socket])
                    try await eventually("READY=1") { listener.output.contains("READY=1") }
                    try await untilRegistered(worker, at: server)
                    worker.signal(SIGTERM)
                    #expect(try await worker.waitForExit() == 0)
                    try await eventually("STOPPING=1") { listener.output.contains("STOPPING=1") }
                    await worker.stop()
                }
                await listener.stop()
            }
        }
    }
}

/// When a file's entry changed last: a replaced file has another one.
func changeTime(of path: String) -> [Int] {
    var status = stat()
    guard stat(path, &status) == 0 else { return [] }
    return [Int(status.st_ino), status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
}
