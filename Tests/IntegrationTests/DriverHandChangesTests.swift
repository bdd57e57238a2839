import HAProxy
import LoadBalancing
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// What a human changes over HAProxy's socket, and an UPDATE afterwards: the same whether the worker was there or starts.
@Suite struct DriverHandChangesTests {
    typealias Reconciliation = HAProxyDriverOptions.Reconciliation

    private func node(
        _ name: NodeID, port: LoadBalancing.Port = 1, weight: LoadBalancing.Weight = 1,
        condition: Condition = .enabled
    ) -> Node {
        Node(key: .id(name), address: "127.0.0.1", port: port, weight: weight, condition: condition)
    }

    private let backend = "http-servers"

    private func add(_ name: String, to stand: DriverStand) async throws {
        try await stand.runtime.perform(
            try .addServer(
                try ProxyName(backend),
                Server(name: try ServerName(name), address: try Address("127.0.0.1"), port: try HAProxy.Port(9))))
    }

    @Test(
        "an UPDATE makes the nodes that it changes what it asks for, and the others where that is repaired; PLAN says so",
        arguments: Reconciliation.allCases, [false, true])
    func matrix(_ mode: Reconciliation, afterRestart: Bool) async throws {
        try await withDriverStand { stand in
            let port = try freePort()
            var driver = try await stand.driver(reconciliation: mode)
            let nodes = [node("a"), node("b"), node("c"), node("d"), node("e")]
            try await driver.update([try balancer(port: port, nodes)])
            let process = try await stand.processID()
            let proxy = try ProxyName(backend)
            func name(_ node: String) throws -> ServerName { try ServerName("id-\(node)") }
            try await stand.runtime.perform([
                .setServerState(proxy, try name("b"), .drain), .setWeight(proxy, try name("c"), try Weight(7)),
                .setServerState(proxy, try name("d"), .maint), .deleteServer(proxy, try name("d")),
                .setServerState(proxy, try name("e"), .maint), .deleteServer(proxy, try name("e")),
            ])
            try await add("canary", to: stand)
            try await add("id-f", to: stand)
            // A comparison in between changes nothing where nothing is repaired.
            if mode != .repair || !afterRestart { await driver.reconcile() }
            if afterRestart { driver = try await stand.driver(reconciliation: mode) }
            let new = [
                try balancer(
                    port: port, [node("a", weight: 5), node("b"), node("c"), node("d", weight: 5), node("e")])
            ]
            let plan = try await driver.plan(new)
            #expect(plan.reloadReasons.isEmpty)
            let conditions = try await driver.update(new).otherConditions
            let isRepaired = mode == .repair
            let repairsToo = plan.steps.contains(.init(.change, "put http-servers/id-b in service"))
            #expect(repairsToo == (isRepaired && afterRestart))
            var expected: Set = [
                "http-servers/id-a 127.0.0.1:1 5 ready", "http-servers/id-d 127.0.0.1:1 5 ready",
            ]
            if isRepaired {
                expected.formUnion(["b", "c", "e"].map { "http-servers/id-\($0) 127.0.0.1:1 1 ready" })
                #expect(conditions.isEmpty)
            } else {
                expected.formUnion([
                    "http-servers/id-b 127.0.0.1:1 1 drain", "http-servers/id-c 127.0.0.1:1 7 ready",
                    "http-servers/canary 127.0.0.1:9 1 maint", "http-servers/id-f 127.0.0.1:9 1 maint",
                ])
                #expect(
                    Dictionary(uniqueKeysWithValues: conditions.map { ("\($0.key)", $0.value) }) == [
                        "http/b": .draining, "http/e": .disabled,
                    ])
            }
            try await eventually { try await stand.servers() == expected }
            #expect(try await stand.processID() == process)
            // The same UPDATE once more changes nothing, and says the same.
            #expect(try await driver.update(new).otherConditions == conditions)
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await stand.servers() == expected)
            // Asked for, a node is as asked; called like a node, a human's server makes room for it.
            try await driver.update([
                try balancer(port: port, [node("a"), node("b", weight: 2), node("c"), node("d"), node("e"), node("f")])
            ])
            try await eventually {
                let servers = try await stand.servers()
                return servers.contains("http-servers/id-b 127.0.0.1:1 2 ready")
                    && servers.contains { $0.hasPrefix("http-servers/id-f") && $0.hasSuffix("127.0.0.1:1 1 ready") }
                    && !servers.contains("http-servers/id-f 127.0.0.1:9 1 maint")
                    && servers.contains { $0.contains("canary") } != isRepaired
            }
            #expect(try await stand.processID() == process)
        }
    }

    @Test(
        "an UPDATE that fails leaves alone what a human did to other nodes, where that is not repaired",
        arguments: [false, true])
    func failing(afterRestart: Bool) async throws {
        try await withDriverStand { stand in
            let port = try freePort()
            let script = FaultScript()
            let driver = try await stand.driver(reconciliation: .off) { FaultyService($0, script) }
            try await driver.update([try balancer(port: port, [node("a"), node("b")])])
            try await stand.runtime.perform(
                .setServerState(try ProxyName(backend), try ServerName("id-b"), .drain))
            try await add("canary", to: stand)
            let before = try await stand.servers()
            let new = [try balancer(port: port, [node("a", weight: 5), node("b"), node("c")])]
            if afterRestart {
                script.become(.failThenVanish(.installStaged, at: 5))
                let attempt = Task { try await driver.update(new) }
                try await script.reached()
                attempt.cancel()
                _ = try await stand.driver(reconciliation: .off)
            } else {
                script.become(.fail([.installStaged]))
                await #expect(throws: DriverError.self) { try await driver.update(new) }
            }
            try await eventually { try await stand.servers() == before }
        }
    }

    @Test(
        "a worker that starts deletes no server that a human has added, whatever it is called, and goes on with its own",
        arguments: Reconciliation.allCases)
    func restart(_ mode: Reconciliation) async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let driver = try await stand.driver(drainTimeout: 60_000, reconciliation: mode)
            try await driver.update([try balancer(.tcp, port: port, [try b.node()])])
            let open = try OpenConnection(port: port)
            #expect(await open.askForName() == "b")
            try await driver.update([try balancer(.tcp, port: port, [try a.node()])])
            try await stand.runtime.perform(
                try .addServer(
                    try ProxyName("tcp-servers"),
                    Server(name: try ServerName("id-9"), address: try Address("127.0.0.1"), port: try HAProxy.Port(9))))
            _ = try await stand.driver(drainTimeout: 60_000, reconciliation: mode)
            open.close()
            try await eventually("the end of the worker's own") {
                try await stand.servers() == [
                    "tcp-servers/id-a 127.0.0.1:\(a.port) 1 ready", "tcp-servers/id-9 127.0.0.1:9 1 maint",
                ]
            }
        }
    }
}
