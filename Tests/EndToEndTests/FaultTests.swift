import Gearman
import Glibc
import JSON
import LoadBalancing
import Testing
import TestServers

extension EndToEnd {
    /// What goes wrong around a worker.
    ///
    /// HAProxy's master is stopped (SIGSTOP) where a test needs an UPDATE that takes a while: the reload waits for the
    /// master, and the process that balances goes on.
    @Suite("A fault")
    struct FaultTests {
        @Test("of the job server while the worker is idle: it registers again and serves")
        func jobServerKilledIdle() async throws {
            try await withStand { stand in
                #expect(try await stand.ask("DISCOVER").isPass)
                await stand.server.kill()
                try await stand.server.start()
                try await untilRegistered(stand.worker, at: stand.server)
                #expect(try await stand.ask("DISCOVER").isPass)
            }
        }

        @Test("of the job server while the worker has a job: the change is finished, and the worker serves")
        func jobServerKilledBusy() async throws {
            try await withStand { stand in
                try await stand.apply()
                try await withStoppedMaster(stand) {
                    async let reply = stand.send(stand.update(["algorithm": "LEAST_CONNECTIONS"]))
                    try await eventually("the UPDATE in hand") { stand.worker.log.contains("LEAST_CONNECTIONS") }
                    await stand.server.kill()
                    _ = try? await reply
                    try await stand.server.start()
                }
                try await untilRegistered(stand.worker, at: stand.server)
                #expect(try await stand.ask("PING").isPass)
                try await eventually("the change") {
                    readText("\(stand.worker.stateFolder)/haproxy.cfg").contains("leastconn")
                }
                #expect(try await stand.send(stand.update()).isPass)
                #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
            }
        }

        @Test("of one of two job servers, which accepts and never answers: the other one is served quickly")
        func blackHole() async throws {
            try await withGearmanServer { good in
                try await withGearmanServer { bad in
                    let relay = try TCPRelay(to: bad.port, behaviour: .blackHole)
                    defer { relay.close() }
                    try await withTemporaryFolder { folder in
                        let worker = try await ForegroundWorker.start(
                            in: folder, name: "two-servers", ports: [relay.port, good.port])
                        let client = try Client(servers: [try JobServer(host: "127.0.0.1", port: good.port)])
                        let ask = JSONValue(dictionaryLiteral: ("hpcs_action", "DISCOVER")).bytes()
                        try await untilRegistered(worker, at: good)
                        for _ in 0..<5 {
                            let reply = try await client.submit(
                                function: worker.name, workload: ask, timeout: .seconds(4))
                            #expect(try JSONValue(parsing: reply).isPass)
                        }
                        relay.become(.reset)
                        relay.become(.forward)
                        try await eventually(within: .seconds(30), "the registration with the healed job server") {
                            try await Admin(server: try JobServer(host: "127.0.0.1", port: bad.port)).status()
                                .contains { $0.function == worker.name && $0.workers > 0 }
                        }
                        worker.signal(SIGTERM)
                        #expect(try await worker.waitForExit() == 0)
                    }
                }
            }
        }

        @Test("SIGTERM while an UPDATE runs: the job is answered, then the worker ends with 0")
        func terminatedBusy() async throws {
            try await withStand { stand in
                try await stand.apply()
                try await withStoppedMaster(stand) { master in
                    async let reply = stand.send(stand.update(["algorithm": "LEAST_CONNECTIONS"]))
                    try await eventually("the UPDATE in hand") { stand.worker.log.contains("LEAST_CONNECTIONS") }
                    stand.worker.signal(SIGTERM)
                    // A second one changes nothing.
                    stand.worker.signal(SIGTERM)
                    try await Task.sleep(for: .milliseconds(200))
                    #expect(stand.worker.isRunning)
                    kill(master, SIGCONT)
                    #expect(try await reply.isPass)
                }
                #expect(try await stand.worker.waitForExit() == 0)
                #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
            }
        }

        @Test("SIGKILL of the worker: traffic goes on, and the next one adopts HAProxy")
        func workerKilled() async throws {
            try await withStand { stand in
                try await stand.apply()
                let haproxy = try #require(stand.worker.haproxy)
                await stand.worker.kill()
                #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
                let next = try await ForegroundWorker.start(
                    in: stand.folder, name: stand.worker.name, ports: [stand.server.port])
                try await untilRegistered(next, at: stand.server)
                #expect(try await stand.ask("PING").isPass)
                #expect(try await stand.ask("STATS")["nodes"]?.array?.count == 2)
                #expect(try await stand.send(stand.update(["algorithm": "LEAST_CONNECTIONS"])).isPass)
                #expect(next.haproxy == haproxy)
                #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
                await next.kill()
            }
        }

        @Test("SIGKILL of the worker in the middle of an UPDATE: traffic goes on, and the next one tidies up")
        func workerKilledBusy() async throws {
            try await withStand { stand in
                try await stand.apply()
                try await withStoppedMaster(stand) {
                    async let reply = stand.send(stand.update(["algorithm": "LEAST_CONNECTIONS"]), within: .seconds(2))
                    try await eventually("the UPDATE in place") {
                        readText("\(stand.worker.stateFolder)/haproxy.cfg").contains("leastconn")
                    }
                    await stand.worker.kill()
                    _ = try? await reply
                }
                let next = try await ForegroundWorker.start(
                    in: stand.folder, name: stand.worker.name, ports: [stand.server.port])
                try await untilRegistered(next, at: stand.server)
                // The job server still has the job, or gave it to the next worker: both are well.
                try await eventually("HAProxy") { try await stand.ask("PING").isPass }
                #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
                #expect(try await stand.send(stand.update()).isPass)
                #expect(readText("\(next.stateFolder)/haproxy.cfg").contains("roundrobin"))
                await next.kill()
            }
        }

        @Test("of HAProxy, which is killed: STATS says so, and an UPDATE starts it again")
        func haproxyKilled() async throws {
            try await withStand { stand in
                try await stand.apply()
                let haproxy = try #require(stand.worker.haproxy)
                kill(haproxy, SIGKILL)
                try await eventually("the end of HAProxy") { await requestHTTP(port: stand.front) == nil }
                #expect(try await stand.ask("STATS").failure == "HAProxy is not running.")
                #expect(try await stand.ask("PING").failure == "HAProxy is not running.")
                try await stand.apply()
                #expect(try await stand.ask("STATS")["nodes"]?.array?.count == 2)
            }
        }

        @Test("that keeps HAProxy from starting keeps no worker from serving: an UPDATE can mend it")
        func haproxyCannotStart() async throws {
            try await withStand { stand in
                try await stand.apply()
                await stand.worker.stop()
                // A host's balancer comes back to a machine where something else has its port.
                let squatter = try await ChildProcess.start(
                    "socat", ["TCP-LISTEN:\(stand.front),bind=127.0.0.1,reuseaddr,fork", "SYSTEM:cat"], in: stand.folder
                )
                try await eventually("the squatter") { accepts(port: stand.front) }
                let next = try await ForegroundWorker.start(
                    in: stand.folder, name: stand.worker.name, ports: [stand.server.port])
                try await untilRegistered(next, at: stand.server)
                #expect(try await stand.ask("PING").failure == "HAProxy is not running.")
                #expect(next.log.contains(" error "), "\(next.log)")
                await squatter.stop()
                try await stand.apply()
                await next.stop()
            }
        }

        @Test(
            "of the disk, which is full: the UPDATE fails with a reason, and what was served is served on",
            .enabled(if: geteuid() == 0, "needs root, to mount a small disk"))
        func fullDisk() async throws {
            try await withStand { stand in
                let folder = stand.worker.stateFolder
                await stand.worker.kill()
                let (code, output) = try await run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder])
                try #require(code == 0, "\(output)")
                let result: Result<Void, any Error>
                do {
                    let worker = try await ForegroundWorker.start(
                        in: stand.folder, name: stand.worker.name, ports: [stand.server.port])
                    try await untilRegistered(worker, at: stand.server)
                    try await stand.apply()
                    _ = try await run("sh", ["-c", "head -c 1m /dev/zero > '\(folder)/filler'"])
                    let reply = try await stand.send(stand.update(["algorithm": "LEAST_CONNECTIONS"]))
                    #expect(reply.failure?.contains("No space left") == true, "\(reply)")
                    #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
                    #expect(try await stand.ask("STATS")["nodes"]?.array?.count == 2)
                    unlink("\(folder)/filler")
                    try await stand.apply(["algorithm": "LEAST_CONNECTIONS"])
                    result = .success(await worker.stop())
                } catch {
                    result = .failure(error)
                }
                await stand.worker.stop()
                _ = try await run("umount", ["--lazy", folder])
                try result.get()
            }
        }

        @Test("of nobody: changes that wait keep no STATS and no PING waiting")
        func readsPassChanges() async throws {
            try await withStand { stand in
                try await stand.apply()
                try await withStoppedMaster(stand) { master in
                    try await withThrowingTaskGroup(of: JSONValue.self) { group in
                        for number in 1...6 {
                            group.addTask {
                                try await stand.send(stand.update(["options": ["connect_retries": .number(number)]]))
                            }
                        }
                        try await eventually("the changes in hand") {
                            stand.worker.log.split(separator: "\n").count { $0.contains("connect_retries") } >= 4
                        }
                        for action in ["STATS", "PING", "DISCOVER", "STATS", "PING"] {
                            #expect(try await stand.ask(action, within: .seconds(10)).isPass)
                        }
                        kill(master, SIGCONT)
                        for try await reply in group { #expect(reply.isPass, "\(reply)") }
                    }
                }
            }
        }

        @Test("of a client, which sends a secret in odd places: no log and no reply has it")
        func secrets() async throws {
            let secret = "tok-5f3a9c"
            let token = JSONValue.string(secret)
            let requests: [JSONValue] = [
                [
                    "hpcs_action": "ARCHIVE", "hpcs_object_store_type": "swift", "hpcs_object_store_basepath": "b",
                    "hpcs_object_store_endpoint": "http://127.0.0.1:1/", "hpcs_object_store_token": token,
                    "loadBalancers": [["id": "15", "protocol": "HTTP"]],
                ],
                ["hpcs_action": "PING", "hpcs_object_store_token": token],
                ["hpcs_action": "FORMAT", "hpcs_object_store_token": token],
                ["hpcs_action": "UPDATE", "hpcs_object_store_token": [["a": token]], "loadBalancers": []],
                ["hpcs_action": "UPDATE", "loadBalancers": [["HPCS_Object_Store_Token": token]]],
            ]
            try await withStand { stand in
                for request in requests {
                    let reply = try await stand.send(request)
                    #expect(!"\(reply)".contains(secret), "\(reply)")
                    #expect("\(reply)".contains("*****"), "\(reply)")
                }
                let broken = Array(#"{"hpcs_action":"ARCHIVE","hpcs_object_store_token":"\#(secret)""#.utf8)
                #expect(!"\(try await stand.send(bytes: broken))".contains(secret))
                try await eventually("the log") { stand.worker.log.contains("*****") }
                #expect(!stand.worker.log.contains(secret))
            }
        }

        private func withStoppedMaster(_ stand: Stand, _ body: () async throws -> Void) async throws {
            try await withStoppedMaster(stand) { _ in try await body() }
        }

        /// Stops HAProxy's master while `body` runs, or until that lets it go on.
        private func withStoppedMaster(_ stand: Stand, _ body: (Int32) async throws -> Void) async throws {
            let master = try #require(stand.worker.haproxy)
            kill(master, SIGSTOP)
            defer { kill(master, SIGCONT) }
            try await body(master)
        }
    }
}
