import Glibc
import HAProxy
import LoadBalancing
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// Changes of nodes: HAProxy goes on running.
@Suite struct DriverRunTimeTests {
    /// What ``DriverStand/servers()`` says, with the names that the file has.
    private func plainServers(_ stand: DriverStand) async throws -> Set<String> {
        Set(
            try await stand.servers().map { line in
                let words = line.split(separator: " ", maxSplits: 1)
                return "\(words[0].split(separator: ".")[0]) \(words[1])"
            })
    }

    /// How servers are checked, which are backups, and what limits they have, with the names that the file has.
    private func checks(_ stand: DriverStand) async throws -> Set<String> {
        let state = try await stand.runtime.serversState().rows.map { row in
            "\(row.backend) \(row.name.split(separator: ".")[0]) \(row.isChecked) \(row.checkPort) "
                + "\(row.checkAddress ?? "-")"
        }
        let statistics = try await stand.runtime.statistics(kinds: .servers).rows.map { row in
            "\(row.proxy) \(row.server.split(separator: ".")[0]) \(row.backupServers) \(row.sessionLimit ?? 0)"
        }
        return Set(state + statistics)
    }

    @Test("nodes are added, moved, weighted, disabled, drained and removed by the same process, and the file says so")
    func sameProcess() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, [try a.node()])])
            let process = try await stand.processID()
            try await driver.update([try balancer(port: port, [try a.node(), try b.node()])])
            #expect(await names(at: port) == ["a", "b"])
            try await driver.update([try balancer(port: port, [try a.node(.disabled), try b.node()])])
            #expect(await names(at: port) == ["b"])
            try await driver.update([try balancer(port: port, [try a.node(), try b.node(.draining)])])
            #expect(await names(at: port) == ["a"])
            let key = try a.node().key
            let moved = Node(key: key, address: "127.0.0.1", port: try portNumber(b.port), weight: 7)
            try await driver.update([try balancer(port: port, [moved])])
            #expect(await names(at: port) == ["b"])
            try await eventually { try await stand.servers() == ["http-servers/id-a 127.0.0.1:\(b.port) 7 ready"] }
            #expect(try await stand.processID() == process)
            #expect(stand.configuration.contains("server id-a 127.0.0.1:\(b.port) weight 7"))
            #expect(!stand.configuration.contains("id-b"))
            #expect(!stand.hasPendingChange)
            #expect(try await driver.statistics()[0].nodes.map(\.weight) == [7])
        }
    }

    @Test("whatever the change, what runs afterwards is what a fresh start from the file gives")
    func freshStart() async throws {
        try await withDriverStand { stand in
            let ports = [try freePort(), try freePort()]
            let driver = try await stand.driver()
            let addresses: [NodeAddress] = ["127.0.0.1", "127.0.0.2", "::1", "localhost"]
            let conditions: [Condition] = [.enabled, .disabled, .draining]
            var numbers = SplitMix64.forThisRun()
            func random() throws -> [LoadBalancer] {
                try [BalancerProtocol.http, .tcp].enumerated().map { index, kind in
                    let ids = ["a", "b", "c", "d"].shuffled(using: &numbers)
                    let nodes = try ids.prefix(.random(in: 1...4, using: &numbers)).map { id in
                        Node(
                            key: .id(try #require(NodeID(validating: id))),
                            address: addresses.randomElement(using: &numbers) ?? "127.0.0.1",
                            port: [1, 2].randomElement(using: &numbers) ?? 1,
                            weight: [0, 1, 256].randomElement(using: &numbers) ?? 1,
                            isBackup: .random(using: &numbers),
                            condition: conditions.randomElement(using: &numbers) ?? .enabled)
                    }
                    let monitor = Monitor(
                        kind: .connect, delay: Bool.random(using: &numbers) ? 30 : 60, timeout: 10,
                        attempts: Bool.random(using: &numbers) ? 1 : 2)
                    return try LoadBalancer(
                        protocol: kind, address: "127.0.0.1", port: try portNumber(ports[index]), monitor: monitor,
                        nodes: nodes)
                }
            }
            try await driver.update(try random())
            for _ in 1...15 {
                let process = try await stand.processID()
                try await driver.update(try random())
                #expect(try await stand.processID() == process)
                try await eventually("the removed nodes' end") {
                    try await stand.servers().count
                        == stand.configuration.split(separator: "\n").count { $0.contains("server id-") }
                }
                let (live, checks) = (try await plainServers(stand), try await checks(stand))
                try await stand.service.reload()
                try await eventually { try await stand.processID() != process }
                #expect(try await stand.servers() == live)
                #expect(try await self.checks(stand) == checks)
            }
        }
    }

    @Test("a node that is removed keeps its connections until they end, and can be added again meanwhile")
    func draining() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let driver = try await stand.driver(drainTimeout: 60_000)
            let both = try balancer(.tcp, port: port, [try a.node(), try b.node()])
            let one = try balancer(.tcp, port: port, [try b.node()])
            try await driver.update([try balancer(.tcp, port: port, [try a.node()])])
            let process = try await stand.processID()
            let open = try OpenConnection(port: port)
            try await eventually { try await driver.statistics()[0].nodes[0].sessions == 1 }
            try await driver.update([both])
            try await driver.update([one])
            #expect(try await stand.servers().contains { $0.contains("id-a") && $0.hasSuffix("maint") })
            #expect(try await driver.statistics()[0].nodes.map(\.node.description) == ["b"])
            // Changes go on while it drains, and adding it again puts it back in service.
            try await driver.update([both])
            #expect(try await stand.servers().allSatisfy { $0.hasSuffix("ready") })
            try await driver.update([one])
            #expect(try await stand.servers().count == 2)
            open.close()
            try await eventually { try await stand.servers().count == 1 }
            try await driver.update([both])
            #expect(try await stand.servers().count == 2)
            #expect(try await stand.processID() == process)
        }
    }

    @Test("connections that outlast the drain time are ended")
    func overdue() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let driver = try await stand.driver(drainTimeout: 300)
            try await driver.update([try balancer(.tcp, port: port, [try a.node()])])
            let open = try OpenConnection(port: port)
            try await eventually { try await driver.statistics()[0].nodes[0].sessions == 1 }
            try await driver.update([try balancer(.tcp, port: port, [try b.node()])])
            try await eventually { try await stand.servers().count == 1 }
            open.close()
        }
    }

    @Test("a step that HAProxy refuses fails the UPDATE in its words; file, process and servers are as before")
    func refused() async throws {
        try await withDriverStand { stand in
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, [node("a"), node("b")])])
            let (process, file, before) = (
                try await stand.processID(), stand.configuration, try await stand.servers()
            )
            let relay = try UnixSocketRelay(at: stand.socket) { line in
                line.hasPrefix("set weight http-servers/id-b 9")
                    ? .replace("set weight http-servers/nobody 9") : .forward
            }
            defer { relay.close() }
            let error = try await #require(throws: DriverError.self) {
                try await driver.update([
                    try balancer(port: port, [node("a", weight: 9), node("b", weight: 9), node("c")])
                ])
            }
            #expect(error.message == "HAProxy refuses 'set weight http-servers/id-b 9': No such server.")
            #expect(error.failedNodes.map(\.description) == ["http/b"])
            #expect(stand.configuration == file)
            try await eventually("the end of what was added") { try await stand.servers() == before }
            #expect(try await stand.processID() == process)
            #expect(!stand.hasPendingChange)
            try await driver.update([try balancer(port: port, [node("a", weight: 9), node("b", weight: 8)])])
            #expect(try await stand.processID() == process)
        }
    }

    @Test("HAProxy gone before the steps: the UPDATE starts it with the new state")
    func gone() async throws {
        try await withDriverStand { stand in
            let real = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, [node("x")])])
            try await stand.killHAProxy()
            try await driver.update([try balancer(port: port, [try real.node()])])
            #expect(await names(at: port) == ["a"])
        }
    }

    @Test("a worker that starts anew goes on without a reload; what a human changed meanwhile is put right")
    func adopts() async throws {
        try await withDriverStand { stand in
            let port = try freePort()
            try await stand.driver().update([try balancer(port: port, [node("a"), node("b")])])
            let process = try await stand.processID()
            let backend = try ProxyName("http-servers")
            try await stand.runtime.perform([
                .setWeight(backend, try ServerName("id-a"), try Weight(99)),
                try .addServer(
                    backend,
                    Server(name: try ServerName("hand"), address: try Address("127.0.0.1"), port: try Port(9))),
            ])
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, [node("a"), node("b", weight: 3)])])
            try await eventually {
                try await stand.servers() == [
                    "http-servers/id-a 127.0.0.1:1 1 ready", "http-servers/id-b 127.0.0.1:1 3 ready",
                ]
            }
            #expect(try await stand.processID() == process)
        }
    }

    @Test(
        "an UPDATE wins over what a human has changed of the servers that it changes; others are repaired or left alone",
        arguments: [HAProxyDriverOptions.Reconciliation.repair, .report, .off])
    func changedByHand(_ reconciliation: HAProxyDriverOptions.Reconciliation) async throws {
        try await withDriverStand { stand in
            let port = try freePort()
            let driver = try await stand.driver(reconciliation: reconciliation)
            let nodes = [node("a"), node("b"), node("c"), node("d"), node("e")]
            try await driver.update([try balancer(port: port, nodes)])
            let process = try await stand.processID()
            let backend = try ProxyName("http-servers")
            let (a, b, c) = (try ServerName("id-a"), try ServerName("id-b"), try ServerName("id-c"))
            try await stand.runtime.perform([
                .setWeight(backend, a, try Weight(99)), .setServerState(backend, b, .drain),
                try .setServerAddress(backend, c, try Address("127.0.0.9"), port: try Port(9)),
                .setServerState(backend, try ServerName("id-d"), .maint),
                .setWeight(backend, try ServerName("id-e"), try Weight(99)),
            ])
            // Each UPDATE of a node changes something else than the human did; the last node it does not touch.
            try await driver.update([
                try balancer(
                    port: port,
                    [node("a", port: 2), node("b", weight: 2), node("c", weight: 3), node("e")])
            ])
            if reconciliation == .repair { await driver.reconcile() }
            let weight = reconciliation == .repair ? 1 : 99
            let expected = [
                "http-servers/id-a 127.0.0.1:2 1 ready", "http-servers/id-b 127.0.0.1:1 2 ready",
                "http-servers/id-c 127.0.0.1:1 3 ready", "http-servers/id-e 127.0.0.1:1 \(weight) ready",
            ]
            try await eventually { try await stand.servers() == Set(expected) }
            #expect(try await stand.processID() == process)
            #expect(!stand.hasPendingChange)
        }
    }

    @Test("clients stay with their node while others are added")
    func stickiness() async throws {
        try await withDriverStand { stand in
            let nodes = try ["a", "b", "c"].map { try NamedNode($0) }
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, try nodes[..<2].map { try $0.node() })])
            let process = try await stand.processID()
            let first = try await run(
                "curl", ["-s", "-c", "\(stand.folder)/jar", "http://127.0.0.1:\(port)/"])
            let cookie = readText("\(stand.folder)/jar")
            #expect(first.exitCode == 0 && cookie.contains("SERVERID"))
            try await driver.update([try balancer(port: port, try nodes.map { try $0.node() })])
            for _ in 1...6 {
                let again = try await run("curl", ["-s", "-b", "\(stand.folder)/jar", "http://127.0.0.1:\(port)/"])
                #expect(again.output == first.output)
            }
            #expect(try await stand.processID() == process)
        }
    }

    @Test("a node that is added has the cookie that a fresh start gives it, and is checked where it is")
    func cookie() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let jar = "\(stand.folder)/jar"
            let driver = try await stand.driver()
            func update(_ nodes: [Node]) async throws {
                let balancer = try LoadBalancer(
                    protocol: .http, address: "127.0.0.1", port: try portNumber(port),
                    monitor: Monitor(kind: .connect, delay: 1, timeout: 1, attempts: 1), nodes: nodes)
                try await driver.update([balancer])
            }
            func answersWithCookie() async throws -> Set<String> {
                var answers: Set<String> = []
                for _ in 1...6 {
                    let command = ["-si", "-b", jar, "http://127.0.0.1:\(port)/"]
                    let answer = try await run("curl", command).output
                    #expect(!answer.lowercased().contains("set-cookie"))
                    answers.insert(String(answer.suffix(1)))
                }
                return answers
            }
            try await update([try a.node(.disabled)])
            let process = try await stand.processID()
            try await update([try a.node(.disabled), try b.node()])
            #expect(try await run("curl", ["-s", "-c", jar, "http://127.0.0.1:\(port)/"]).output == "b")
            try await update([try a.node(), try b.node()])
            #expect(try await answersWithCookie() == ["b"])
            // A check by connection that has found it up; one at another port finds nobody.
            let backend = try ProxyName("http-servers")
            try await eventually {
                let rows = String(decoding: try await stand.runtime.send(.showStat(proxy: backend)), as: UTF8.self)
                return rows.split(separator: "\n").contains { $0.contains(",id-b,") && $0.contains(",L4OK,") }
            }
            #expect(try await driver.statistics()[0].nodes.map(\.isUp) == [true, true])
            #expect(try await stand.processID() == process)
            try await stand.service.reload()
            try await eventually { try await stand.processID() != process }
            #expect(try await answersWithCookie() == ["b"])
        }
    }

    @Test("a worker that vanishes at any moment of a change of nodes leaves the old state to the next one")
    func crashes() async throws {
        let (a, b) = (try NamedNode("a"), try NamedNode("b"))
        let port = try freePort()
        var number = 0
        var isOver = false
        while !isOver {
            number += 1
            isOver = try await withDriverStand { stand in
                let script = FaultScript()
                let victim = try await stand.driver { FaultyService($0, script) }
                try await victim.update([try balancer(port: port, [try a.node()])])
                script.become(.vanish(at: number))
                let end = Task {
                    _ = try? await victim.update([try balancer(port: port, [try b.node()])])
                    script.finish()
                }
                try await script.reached()
                // stage, backUp and installStaged, before and after.
                guard number <= 6 else {
                    await end.value
                    return true
                }
                let driver = try await stand.driver()
                #expect(await names(at: port) == ["a"])
                #expect(try await driver.statistics()[0].nodes.map(\.node.description) == ["a"])
                #expect(!stand.hasPendingChange)
                try await driver.update([try balancer(port: port, [try b.node()])])
                #expect(await names(at: port) == ["b"])
                return false
            }
        }
        #expect(number == 7)
    }

    @Test("a plan names the steps or what forces a reload, has the file's text, and changes nothing")
    func plan() async throws {
        try await withDriverStand { stand in
            let port = try freePort()
            let driver = try await stand.driver()
            let old = [try balancer(port: port, [node("a")])]
            #expect(try await driver.plan(old).reloadReasons == ["HAProxy does not run"])
            try await driver.update(old)
            let before = try await stand.fingerprint()
            let new = [try balancer(port: port, [node("a", weight: 5), node("b")])]
            let plan = try await driver.plan(new)
            #expect(plan.reloadReasons.isEmpty)
            #expect(
                plan.steps == [
                    .init(.add, "add http-servers/id-b at 127.0.0.1:1, weight 1"),
                    .init(.change, "set the weight of http-servers/id-a to 5"),
                    .init(.change, "put http-servers/id-b in service"),
                ])
            let other = try await driver.plan([try balancer(port: try freePort(), [node("a")])])
            #expect(other.reloadReasons == ["frontend http-in: address or port"])
            #expect(try await driver.plan(old).steps.isEmpty)
            #expect(try await stand.fingerprint() == before)
            try await driver.update(new)
            #expect(stand.configuration == plan.configuration)
        }
    }
}
