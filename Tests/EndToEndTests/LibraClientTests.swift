import Gearman
import Glibc
import JSON
import LoadBalancing
import Testing
import TestServers

extension EndToEnd {
    @Suite("libra_client")
    struct LibraClientTests {
        @Test("sends every action, prints the reply, and exits with what it says")
        func everyAction() async throws {
            try await withStand { stand in
                let to = ["--server", "127.0.0.1:\(stand.server.port)", "--worker", stand.worker.name]
                let file = "\(stand.folder)/update.json"
                // The command's own action counts, whatever the file says.
                try writeText("\(stand.update())".replacing("UPDATE", with: "PING"), to: file)
                let client = Repository.executable("libra_client")

                let ping = try await command(client, ["ping"] + to)
                #expect(ping.exitCode == 1)
                #expect(try ping.value().failure == "HAProxy is not running.")
                let update = try await command(client, ["update", file] + to)
                #expect(update.exitCode == 0 && update.complaints.isEmpty, "\(update)")
                #expect(try update.value()["loadBalancers"]?.array?.count == 1)
                for action in ["ping", "discover", "stats", "diagnostics", "suspend", "enable"] {
                    let result = try await command(client, [action] + to)
                    #expect(result.exitCode == 0, "\(action): \(result)")
                    #expect(try result.value()["hpcs_action"]?.string == action.uppercased())
                    #expect(try result.value().isPass)
                }
                for action in ["send", "update"] {
                    try writeText("\(stand.update())", to: file)
                    let result = try await command(client, [action, "-"] + to, environment: [:], input: file)
                    #expect(result.exitCode == 0, "\(result)")
                }
                let delete = try await command(client, ["delete"] + to)
                #expect(delete.exitCode == 0, "\(delete)")
                let stats = try await command(client, ["stats"] + to)
                #expect(stats.exitCode == 1)
                #expect(try stats.value()["status"]?.string == "DELETED")
                for (action, options) in [("plan", ["--json"]), ("archive", [])] {
                    let result = try await command(client, [action, file] + options + to)
                    #expect(try result.value()["hpcs_action"]?.string == action.uppercased(), "\(result)")
                }
                let plan = try await command(client, ["plan", file] + to)
                #expect(plan.output.contains(": a reload\n  ! HAProxy does not run\n"), "\(plan)")
            }
        }

        @Test("exits with 64 for a wrong command line, and says what is wrong")
        func usage() async throws {
            for (arguments, words) in [
                (["stat"], "stat"), (["update"], "file"), (["stats", "--worker"], "--worker"),
                (["stats", "--what"], "--what"),
                (["stats", "--worker", "a", "--all"], "--all"), (["stats", "--timeout", "0"], "--timeout"),
                (["stats", "--timeout", "nan"], "--timeout"), (["stats", "--timeout", "soon"], "soon"),
                (["stats", "--server", "127.0.0.1:0"], "127.0.0.1:0"), (["stats", "--server", "a:b"], "a:b"),
                (["stats", "extra"], "extra"), (["workers", "--all"], "--all"),
            ] {
                let result = try await command(Repository.executable("libra_client"), arguments)
                #expect(result.exitCode == 64, "\(arguments): \(result)")
                #expect(result.output.isEmpty)
                #expect(result.complaints.contains(words), "\(arguments): \(result)")
            }
        }

        @Test("exits with 66 for a request that cannot be read, before it asks anybody")
        func unreadable() async throws {
            try await withTemporaryFolder { folder in
                let broken = ["{", "[]", "42", "", #"{"a":1,"a":2}"#, #"{"a":1} x"#]
                for text in broken {
                    try writeText(text, to: "\(folder)/request.json")
                    let result = try await libraClient("send", "\(folder)/request.json", "--server", "127.0.0.1:1")
                    #expect(result.exitCode == 66, "\(text): \(result)")
                    #expect(result.complaints.contains("\(folder)/request.json"), "\(result)")
                }
                for missing in ["\(folder)/none.json", folder] {
                    let result = try await libraClient("update", missing, "--server", "127.0.0.1:1")
                    #expect(result.exitCode == 66, "\(result)")
                    #expect(result.complaints.contains(missing), "\(result)")
                }
            }
        }

        @Test("exits with 69 when nobody answers, in the time that --timeout gives")
        func nobody() async throws {
            let start = ContinuousClock.now
            let refused = try await libraClient("stats", "--server", "127.0.0.1:1")
            #expect(refused.exitCode == 69, "\(refused)")
            #expect(refused.complaints.contains("127.0.0.1:1"), "\(refused)")
            #expect(try await libraClient("workers", "--server", "127.0.0.1:1").exitCode == 69)
            try await withGearmanServer { server in
                let at = "127.0.0.1:\(server.port)"
                let silent = try await libraClient("stats", "--server", at, "--worker", "nobody", "--timeout", "0.5")
                #expect(silent.exitCode == 69, "\(silent)")
                #expect(silent.complaints.contains("no worker nobody is registered with \(at)"), "\(silent)")
                #expect(silent.output.isEmpty)
                #expect(try await libraClient("stats", "--server", at, "--all").exitCode == 69)
                let workers = try await libraClient("workers", "--server", at)
                #expect(workers.exitCode == 0 && workers.output.isEmpty, "\(workers)")
                let relay = try TCPRelay(to: server.port, behaviour: .blackHole)
                defer { relay.close() }
                let mute = try await libraClient("stats", "--server", "127.0.0.1:\(relay.port)", "--timeout", "0.5")
                #expect(mute.exitCode == 69, "\(mute)")
            }
            #expect(start.duration(to: .now) < .seconds(40))
        }

        @Test("reads the job servers of the worker's own configuration, and of the environment")
        func configuration() async throws {
            try await withTemporaryFolder { folder in
                try await withGearmanServer { server in
                    let file = "\(folder)/libra.cfg"
                    let sample = uncommented(readText(Repository.file("etc/sample_libra.cfg")), except: ["ssl_"])
                    try writeText(sample.replacing("localhost:4730", with: "127.0.0.1:\(server.port)"), to: file)
                    let byFile = try await libraClient("workers", "--config", file)
                    #expect(byFile.exitCode == 0, "\(byFile)")
                    let byEnvironment = try await libraClient(
                        "workers",
                        environment: ["LIBRA_GEARMAN_SERVERS": "127.0.0.1:\(server.port)", "LIBRA_OTHER_X": "y"])
                    #expect(byEnvironment.exitCode == 0, "\(byEnvironment)")
                    // The command line wins.
                    let byOption = try await libraClient("workers", "--config", file, "--server", "127.0.0.1:1")
                    #expect(byOption.exitCode == 69, "\(byOption)")
                    try writeText("[gearman]\nservers = 127.0.0.1:0\n", to: file)
                    let wrong = try await libraClient("workers", "--config", file)
                    #expect(wrong.exitCode == 78, "\(wrong)")
                    #expect(wrong.complaints.contains("\(file):2: [gearman] servers"), "\(wrong)")
                    #expect(try await libraClient("workers", "--config", "\(folder)/none").exitCode == 78)
                    // What asks for TLS gets no plain connection.
                    try writeText(
                        "[gearman]\nservers = 127.0.0.1:\(server.port)\nssl_ca = /a\nssl_cert = /b\nssl_key = /c\n",
                        to: file)
                    let tls = try await libraClient("workers", "--config", file)
                    #expect(tls.exitCode == 78 && tls.complaints.contains("docs/tls.md"), "\(tls)")
                }
            }
        }

        @Test("asks several workers, or all, at several job servers")
        func fanOut() async throws {
            try await withTwoServers { first, second in
                let servers = ["--server", "127.0.0.1:\(first.port)", "--server", "127.0.0.1:\(second.port)"]
                let client = Repository.executable("libra_client")
                try await withStubs(["alpha": first, "beta": second, "gamma": second, "omega": first]) {
                    let all = try await command(client, ["ping", "--all"] + servers)
                    let lines = try all.lines()
                    #expect(all.exitCode == 1, "gamma says FAIL: \(all)")
                    #expect(Set(lines.map { $0["worker"]?.string }) == ["alpha", "beta", "gamma", "omega"])
                    #expect(lines.allSatisfy { $0["reply"]?["hpcs_action"]?.string == "PING" }, "\(all)")

                    let two = try await command(
                        client, ["ping", "--worker", "alpha", "--worker", "beta", "-w", "alpha"] + servers)
                    #expect(two.exitCode == 0, "\(two)")
                    #expect(try two.lines().compactMap { $0["worker"]?.string }.sorted() == ["alpha", "beta"])

                    let one = try await command(client, ["ping", "--worker", "beta"] + servers)
                    #expect(one.exitCode == 0)
                    #expect(try one.value()["hpcs_response"]?.string == "PASS")

                    let partly = try await command(
                        client, ["ping", "--worker", "beta", "--worker", "nobody", "--timeout", "1"] + servers)
                    #expect(partly.exitCode == 1, "\(partly)")
                    let silent = try partly.lines().first { $0["worker"]?.string == "nobody" }
                    #expect(silent?["error"]?.string?.isEmpty == false, "\(partly)")
                }
            }
        }

        @Test("goes on without a job server that is dead or mute, and says so")
        func deadServer() async throws {
            try await withTwoServers { first, second in
                let relay = try TCPRelay(to: second.port, behaviour: .blackHole)
                defer { relay.close() }
                try await withStubs(["alpha": first, "beta": first]) {
                    for other in ["127.0.0.1:1", "127.0.0.1:\(relay.port)"] {
                        let result = try await libraClient(
                            "ping", "--all", "--server", other, "--server", "127.0.0.1:\(first.port)")
                        #expect(result.exitCode == 0, "\(result)")
                        #expect(try result.lines().count == 2)
                        #expect(result.complaints.contains(other), "\(result)")
                    }
                }
            }
        }

        @Test("draws tables")
        func tables() async throws {
            try await withTwoServers { first, second in
                let servers = ["--server", "127.0.0.1:\(first.port)", "--server", "127.0.0.1:\(second.port)"]
                let client = Repository.executable("libra_client")
                try await withStubs(["alpha": first, "gamma": second]) {
                    let ping = try await command(client, ["ping", "--all", "--table"] + servers)
                    let rows = ping.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
                    #expect(rows.count == 3, "\(ping)")
                    #expect(rows.first == ["WORKER", "RESPONSE", "DETAILS"])
                    #expect(rows.dropFirst().first?.prefix(2) == ["alpha", "PASS"])
                    #expect(rows.last?.prefix(3) == ["gamma", "FAIL", "stub\\x1b[2J"])
                    // What a worker says cannot move a reader's cursor.
                    #expect(!ping.output.utf8.contains(0x1B))

                    let workers = try await command(client, ["workers", "--table"] + servers)
                    #expect(workers.output.split(separator: "\n").count == 3, "\(workers)")
                    #expect(workers.output.contains("127.0.0.1:\(second.port)"))
                    let list = try await command(client, ["workers"] + servers)
                    #expect(
                        try list.lines().first == [
                            "worker": "alpha", "server": .string("127.0.0.1:\(first.port)"), "connections": 1,
                            "jobs": 0,
                            "running": 0,
                        ], "\(list)")
                }
            }
        }

        @Test("draws the nodes of STATS")
        func statsTable() async throws {
            try await withStand { stand in
                try await stand.apply()
                let result = try await libraClient(
                    "stats", "--table", "--server", "127.0.0.1:\(stand.server.port)", "--worker", stand.worker.name)
                let rows = result.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
                #expect(rows.first?.prefix(4) == ["WORKER", "BALANCER", "NODE", "STATUS"], "\(result)")
                #expect(rows.dropFirst().first?.prefix(4) == [stand.worker.name, "http-15", "1001", "UP"], "\(result)")
                #expect(rows.count == 3)
            }
        }

        private func withTwoServers(_ body: (GearmanServer, GearmanServer) async throws -> Void) async throws {
            try await withGearmanServer { first in
                try await withGearmanServer { second in try await body(first, second) }
            }
        }

        /// Runs stub workers, each one connection: they answer with PASS, and `gamma` with FAIL.
        private func withStubs(_ stubs: [String: GearmanServer], _ body: () async throws -> Void) async throws {
            try await withTemporaryFolder { folder in
                var children: [ChildProcess] = []
                let result: Result<Void, any Error>
                do {
                    for (name, server) in stubs {
                        let verdict = name == "gamma" ? #""FAIL","hpcs_error":"stub\u001b[2J says no""# : #""PASS""#
                        let script = "\(folder)/\(name)"
                        try writeText(
                            "#!/bin/sh\ncat >/dev/null\nprintf '%s' '{\"hpcs_action\":\"PING\",\"hpcs_response\":\(verdict)}'\n",
                            to: script, mode: 0o755)
                        children.append(
                            try await ChildProcess.start(
                                "gearman", ["-h", "127.0.0.1", "-p", "\(server.port)", "-w", "-f", name, "--", script],
                                in: folder))
                        let admin = try Admin(server: try JobServer(host: "127.0.0.1", port: server.port))
                        try await eventually("the stub \(name)") {
                            try await admin.status().contains { $0.function == name && $0.workers > 0 }
                        }
                    }
                    result = .success(try await body())
                } catch {
                    result = .failure(error)
                }
                for child in children { await child.kill() }
                try result.get()
            }
        }
    }
}
