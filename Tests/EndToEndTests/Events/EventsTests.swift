import Glibc
import JSON
import Testing
import TestServers

extension EndToEnd {
    @Suite("The events of a worker", .timeLimit(.minutes(3)))
    struct EventsTests {
        /// The events of a host, as muskrat prints them.
        private func events(
            at broker: String, in folder: String, key: String = "Libra.#", environment: [String: String] = [:]
        ) async throws -> [JSONValue] {
            let result = try await command(
                Repository.executable("muskrat"),
                ["consume", key, "--broker", broker, "--from", "beginning", "--reset", "--name", "test", "--quiet"],
                environment: environment)
            guard result.exitCode == 0 else { throw TestServerError("consume failed: \(result)") }
            return try result.lines()
        }

        private func actions(_ events: [JSONValue]) -> [String] { events.compactMap { $0["action"]?.string } }

        /// Lines of a configuration with which events go to a broker.
        private func configuration(_ brokers: String, _ more: String = "") -> String {
            "reconcile = repair\n[events]\nbrokers = \(brokers)\n\(more)"
        }

        @Test("each change, failure, repair, start and stop is told, in order, and nothing secret is")
        func told() async throws {
            try await withTemporaryFolder { place in
                let broker = "file://\(place)/events"
                try await withStand(configuration: configuration(broker)) { stand in
                    try await stand.apply(["name": "web"])
                    // Nothing to tell: it is there already, and reads change nothing.
                    _ = try await stand.send(stand.update(["name": "web"]))
                    for action in ["STATS", "PING", "PLAN", "DISCOVER"] { _ = try await stand.ask(action) }
                    var request = JSONObject()
                    for member in stand.update(["algorithm": "LEAST_CONNECTIONS"]).object?.members ?? [] {
                        request[member.key] = member.value
                    }
                    request["hpcs_object_store_token"] = "hunter2"
                    request["comment"] = "hunter3"
                    #expect(try await stand.send(.object(request)).isPass)
                    #expect(try await stand.send(stand.update(["port": 70_000])).failure != nil)
                    #expect(try await stand.ask("SUSPEND").isPass)
                    #expect(try await stand.ask("ENABLE").isPass)
                    #expect(try await stand.ask("DELETE").isPass)
                    stand.worker.signal(SIGTERM)
                    #expect(try await stand.worker.waitForExit() == 0, "\(stand.worker.log)")

                    let events = try await events(at: broker, in: place)
                    #expect(
                        actions(events) == [
                            "START", "UPDATE", "UPDATE", "UPDATE", "SUSPEND", "ENABLE", "DELETE", "STOP",
                        ], "\(events)")
                    try #require(events.count == 8)
                    #expect(
                        events.map { $0["response"]?.string } == [
                            "PASS", "PASS", "PASS", "FAIL", "PASS", "PASS", "PASS", "PASS",
                        ])
                    #expect(events[1]["balancers"] == [["protocol": "HTTP", "id": "15"]])
                    #expect(events[6]["balancers"] == [["protocol": "HTTP", "id": "15"]])
                    #expect(events[1]["plan"]?["reload"]?.array?.isEmpty == false)
                    #expect(events[1]["job"]?["handle"]?.string?.hasPrefix("H:") == true)
                    #expect(events[3]["error"]?.string?.isEmpty == false)
                    #expect(events.allSatisfy { $0["host"]?.string == thisHost() })
                    #expect(Set(events.compactMap { $0["id"]?.string }).count == 8)
                    let text = events.map(\.description).joined()
                    #expect(!text.contains("hunter"), "\(text)")
                    #expect(!stand.worker.log.contains("hunter2"))
                }
            }
        }

        @Test("a repair is told, with what it put right")
        func repair() async throws {
            try await withTemporaryFolder { place in
                let broker = "file://\(place)/events"
                let more = "key = Fleet.Events\n[worker]\nstats_poll = 0.2"
                try await withStand(configuration: configuration(broker, more)) { stand in
                    try await stand.apply()
                    let socket = "\(stand.worker.stateFolder)/haproxy.sock"
                    let server = "http-15-servers/id-1001"
                    let (code, words) = try await run(
                        "sh", ["-c", "echo 'set server \(server) state maint' | socat - 'UNIX-CONNECT:\(socket)'"])
                    #expect(code == 0, "\(words)")
                    try await eventually("a repair") {
                        let events = try await events(at: broker, in: place, key: "fleet.events")
                        guard let repair = events.first(where: { $0["action"] == "REPAIR" }) else { return false }
                        #expect(repair["response"] == "PASS")
                        #expect(repair["differences"]?.array?.first?.string?.contains("id-1001") == true, "\(repair)")
                        #expect(repair["plan"]?["change"] == 1)
                        return true
                    }
                }
            }
        }

        @Test("a store that is missing delays no job, and gets the events when it is there")
        func storeComesLater() async throws {
            try await withTemporaryFolder { place in
                // Where the folder should be is a file.
                let path = "\(place)/events"
                try writeText("", to: path)
                try await withStand(configuration: configuration("file://\(path)")) { stand in
                    try await stand.apply()
                    for weight in 1...20 {
                        let reply = try await stand.send(
                            stand.update(["algorithm": .string(weight % 2 == 0 ? "ROUND_ROBIN" : "LEAST_CONNECTIONS")]),
                            within: .seconds(10))
                        #expect(reply.isPass, "\(reply)")
                    }
                    unlink(path)
                    try await eventually(within: .seconds(90), "the events") {
                        guard let events = try? await events(at: "file://\(path)", in: place) else { return false }
                        return actions(events) == ["START"] + Array(repeating: "UPDATE", count: 21)
                    }
                }
            }
        }

        @Test("events that wait when the worker ends get to the store with the next one")
        func spooled() async throws {
            try await withTemporaryFolder { place in
                // Nobody listens there.
                let port = try freePort()
                let url = "s3://events?endpoint=http://127.0.0.1:\(port)&region=x&path-style=true"
                let file = "\(place)/events"
                try writeText("", to: file)
                try await withStand(
                    configuration: configuration("file://\(file) \(url)", "spool = \(place)/spool")
                ) { stand in
                    try await stand.apply()
                    stand.worker.signal(SIGTERM)
                    let begun = ContinuousClock.now
                    #expect(try await stand.worker.waitForExit() == 0, "\(stand.worker.log)")
                    #expect(begun.duration(to: .now) < .seconds(15))
                    unlink(file)
                    let next = try await ForegroundWorker.start(
                        in: stand.folder, name: stand.worker.name, ports: [stand.server.port],
                        configuration: configuration("file://\(file) \(url)", "spool = \(place)/spool"))
                    try await eventually(within: .seconds(90), "the events of both") {
                        guard let events = try? await events(at: "file://\(file)", in: place) else { return false }
                        return actions(events) == ["START", "UPDATE", "STOP", "START"]
                    }
                    await next.stop()
                }
            }
        }

        @Test("events get to a store with S3's protocol, and a restart of it loses none")
        func objectStore() async throws {
            try await withSeaweedFS { store in
                let login = store.login
                let url = "s3://\(login.bucket)/fleet?endpoint=\(login.endpoint)&path-style=true"
                try await withStand(environment: login.environment, configuration: configuration(url)) { stand in
                    func expectEvents(_ expected: [String]) async throws {
                        try await eventually(within: .seconds(90), "\(expected)") {
                            guard
                                let events = try? await events(
                                    at: url, in: stand.folder, environment: login.environment)
                            else { return false }
                            return actions(events) == expected
                        }
                    }
                    try await stand.apply()
                    try await expectEvents(["START", "UPDATE"])
                    await store.kill()
                    #expect(try await stand.ask("SUSPEND", within: .seconds(10)).isPass)
                    #expect(try await stand.ask("ENABLE", within: .seconds(10)).isPass)
                    try await store.start()
                    try await expectEvents(["START", "UPDATE", "SUSPEND", "ENABLE"])
                }
            }
        }

        @Test("a store that takes connections and never answers delays no job, and gets the events when it does")
        func silentStore() async throws {
            try await withSeaweedFS { store in
                let login = store.login
                let relay = try TCPRelay(to: login.port, behaviour: .blackHole)
                let url = "s3://\(login.bucket)/fleet?endpoint=http://127.0.0.1:\(relay.port)&path-style=true"
                try await withStand(environment: login.environment, configuration: configuration(url)) { stand in
                    try await stand.apply()
                    for number in 1...20 {
                        let algorithm = number % 2 == 0 ? "ROUND_ROBIN" : "LEAST_CONNECTIONS"
                        // Far less than it takes to give an attempt at the store up.
                        let reply = try await stand.send(
                            stand.update(["algorithm": .string(algorithm)]), within: .seconds(10))
                        #expect(reply.isPass, "\(reply)")
                    }
                    relay.become(.forward)
                    try await eventually(within: .seconds(90), "the events") {
                        guard
                            let events = try? await events(at: url, in: stand.folder, environment: login.environment)
                        else { return false }
                        return Set(events.compactMap { $0["id"]?.string }).count == 22
                    }
                }
                relay.close()
            }
        }

        @Test(
            "what cannot be a broker or a key keeps the worker from starting, and is not shown",
            arguments: ["brokers = ftp://u:hunter2@x", "brokers = file:///tmp/x\nkey = a/b"])
        func wrongSettings(settings: String) async throws {
            try await withTemporaryFolder { folder in
                let file = "\(folder)/libra.cfg"
                try writeText(
                    "[worker:haproxy]\nservice = process\nstatedir = \(folder)\n[events]\n\(settings)\n", to: file)
                let result = try await command(
                    Repository.executable("libra_worker"), ["--nodaemon", "--config", file])
                #expect(result.exitCode == 78, "\(result)")
                #expect(result.complaints.contains("[events]"), "\(result)")
                #expect(!result.complaints.contains("hunter2"), "\(result)")
            }
        }
    }
}
