import HAProxy
import LoadBalancing
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// Changes for which HAProxy has no command, so that another server takes the place of the one that is there.
@Suite struct DriverReplacementTests {
    /// The names and states of HAProxy's servers.
    private func servers(_ stand: DriverStand) async throws -> Set<String> {
        Set(try await stand.runtime.serversState().rows.map { "\($0.name) \($0.adminState)" })
    }

    private func balancer(
        _ kind: BalancerProtocol = .tcp, port: Int, delay: Seconds = 30, attempts: Attempts = 1, _ nodes: [Node]
    ) throws -> LoadBalancer {
        try LoadBalancer(
            protocol: kind, address: "127.0.0.1", port: try portNumber(port),
            monitor: Monitor(kind: .connect, delay: delay, timeout: 1, attempts: attempts), nodes: nodes)
    }

    @Test("a node becomes a backup and its monitor another, while an open connection goes on in the same process")
    func openConnection() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let driver = try await stand.driver(drainTimeout: 60_000)
            let before = [try a.node(), try b.node(isBackup: true)]
            try await driver.update([try balancer(port: port, before)])
            let process = try await stand.processID()
            let open = try OpenConnection(port: port)
            defer { open.close() }
            try await eventually { try await driver.statistics()[0].nodes[0].sessions == 1 }

            try await driver.update([try balancer(port: port, [try a.node(isBackup: true), try b.node()])])
            #expect(try await servers(stand).contains("id-a maint"))
            let nodes = try await driver.statistics()[0].nodes
            #expect(nodes.map(\.node.description) == ["a", "b"])
            #expect(nodes.map(\.isUp) == [true, true])
            #expect(nodes.map(\.sessions) == [1, 0])
            #expect(await names(at: port) == ["b"])

            // Again and again, while the first server still has its connection.
            try await driver.update([try balancer(port: port, delay: 60, [try a.node(), try b.node(isBackup: true)])])
            #expect(await names(at: port) == ["a"])
            try await driver.update([try balancer(port: port, before)])
            try await eventually { try await servers(stand).count == 2 }
            // The first server still has its connection, so it is the one that takes over.
            #expect(try await servers(stand).contains("id-a ready"))
            #expect(try await driver.statistics()[0].nodes.map(\.sessions) == [1, 0])

            #expect(await open.askForName() == "a")
            #expect(try await stand.processID() == process)
            // The file has the plain names, and so has whoever reads it.
            #expect(stand.configuration.contains("server id-a ") && !stand.configuration.contains("id-b."))
            try await stand.service.reload()
            try await eventually { try await stand.processID() != process }
            #expect(try await servers(stand) == ["id-a ready", "id-b ready"])
        }
    }

    @Test("no connection fails while the active node of a GALERA balancer and its backup change places")
    func galera() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let driver = try await stand.driver()
            func update(active isFirst: Bool) async throws {
                let nodes = [try a.node(isBackup: !isFirst), try b.node(isBackup: isFirst)]
                try await driver.update([try balancer(.galera, port: port, nodes)])
            }
            try await update(active: true)
            let process = try await stand.processID()
            async let answers = names(at: port, requests: 300)
            for round in 1...10 {
                try await update(active: round % 2 == 0)
                #expect(await names(at: port, requests: 3) == [round % 2 == 0 ? "a" : "b"])
            }
            #expect(await answers.isSubset(of: ["a", "b"]))
            #expect(try await stand.processID() == process)
        }
    }

    @Test("HTTP clients stay with their node when its server is replaced")
    func stickiness() async throws {
        try await withDriverStand { stand in
            let nodes = try ["a", "b", "c"].map { try NamedNode($0) }
            let port = try freePort()
            let driver = try await stand.driver()
            let members = try nodes.map { try $0.node() }
            try await driver.update([try balancer(.http, port: port, members)])
            let process = try await stand.processID()
            let first = try await run("curl", ["-s", "-c", "\(stand.folder)/jar", "http://127.0.0.1:\(port)/"])
            #expect(readText("\(stand.folder)/jar").contains("SERVERID"))
            try await driver.update([try balancer(.http, port: port, delay: 60, attempts: 3, members)])
            for _ in 1...6 {
                let again = try await run("curl", ["-si", "-b", "\(stand.folder)/jar", "http://127.0.0.1:\(port)/"])
                #expect(again.output.hasSuffix(first.output))
                #expect(!again.output.lowercased().contains("set-cookie"))
            }
            // Nobody is left with the servers of before, so they go at once.
            try await eventually { try await servers(stand).count == 3 }
            #expect(try await servers(stand) == ["id-a.2 ready", "id-b.2 ready", "id-c.2 ready"])
            #expect(try await stand.processID() == process)
        }
    }

    @Test("TCP clients of a server that is gone are balanced anew, and not led to a backup that came after it")
    func stickTable() async throws {
        try await withDriverStand { stand in
            let (a, b, c) = (try NamedNode("a"), try NamedNode("b"), try NamedNode("c"))
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, [try a.node(), try c.node(.disabled)])])
            #expect(await names(at: port) == ["a"])
            try await driver.update([try balancer(port: port, [try c.node()])])
            try await eventually { try await servers(stand) == ["id-c ready"] }
            try await driver.update([try balancer(port: port, [try b.node(isBackup: true), try c.node()])])
            #expect(await names(at: port) == ["c"])
        }
    }

    @Test("a worker that starts anew gives no number that a stick table still has, though its server is gone")
    func stickTableOutlivesWorker() async throws {
        try await withDriverStand { stand in
            let (a, b, c) = (try NamedNode("a"), try NamedNode("b"), try NamedNode("c"))
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, [try c.node()])])
            let process = try await stand.processID()
            try await driver.update([try balancer(port: port, [try a.node(), try c.node(.disabled)])])
            #expect(await names(at: port) == ["a"])
            try await driver.update([try balancer(port: port, [try c.node()])])
            try await eventually { try await servers(stand) == ["id-c ready"] }
            let next = try await stand.driver()
            try await next.update([try balancer(port: port, [try b.node(isBackup: true), try c.node()])])
            #expect(await names(at: port) == ["c"])
            #expect(try await stand.processID() == process)
        }
    }

    @Test("a server that somebody added by hand is not in the way of the next node")
    func byHand() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, [try a.node()])])
            let process = try await stand.processID()
            let hand = Server(name: try ServerName("hand"), address: try Address("127.0.0.1"), port: try Port(9))
            try await stand.runtime.perform(try .addServer(try ProxyName("tcp-servers"), hand))
            try await driver.update([try balancer(port: port, [try b.node()])])
            #expect(await names(at: port) == ["b"])
            #expect(try await stand.processID() == process)
            await driver.reconcile()
            try await eventually { try await servers(stand) == ["id-b ready"] }
        }
    }

    @Test("a node that checks have found down stays down, and one out of service stays out of it")
    func states() async throws {
        try await withDriverStand { stand in
            let up = try NamedNode("up")
            let port = try freePort()
            let driver = try await stand.driver()
            let down = Node(key: .id("down"), address: "127.0.0.1", port: try portNumber(try freePort()))
            let nodes = [
                try up.node(), down, Node(key: .id("out"), address: "127.0.0.1", port: 1, condition: .disabled),
            ]
            try await driver.update([try balancer(port: port, delay: 1, nodes)])
            let process = try await stand.processID()
            try await eventually { try await driver.statistics()[0].nodes.map(\.isUp) == [true, false, false] }
            try await driver.update([try balancer(port: port, delay: 3600, nodes)])
            #expect(try await driver.statistics()[0].nodes.map(\.isUp) == [true, false, false])
            #expect(try await servers(stand).isSuperset(of: ["id-up.2 ready", "id-down.2 ready", "id-out.2 maint"]))
            #expect(await names(at: port) == ["up"])
            // Back again, whether the servers of before are still there or not.
            try await driver.update([try balancer(port: port, delay: 1, nodes)])
            #expect(try await driver.statistics()[0].nodes.map(\.isUp) == [true, false, false])
            #expect(try await stand.processID() == process)
        }
    }

    @Test("a worker that starts anew knows the servers that replaced others, and finds nothing to repair")
    func adopted() async throws {
        try await withDriverStand { stand in
            let port = try freePort()
            let node = try NamedNode("a")
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, [try node.node()])])
            try await driver.update([try balancer(port: port, delay: 60, [try node.node()])])
            try await eventually { try await servers(stand) == ["id-a.2 ready"] }
            let before = try await stand.fingerprint()
            let next = try await stand.driver()
            await next.reconcile()
            await next.reconcile()
            #expect(try await stand.fingerprint() == before)
            #expect(try await servers(stand) == ["id-a.2 ready"])
            #expect(try await next.plan([try balancer(port: port, delay: 60, [try node.node()])]).steps.isEmpty)
            // Drift of such a server is put right as well.
            try await stand.runtime.perform(
                .setServerState(try ProxyName("tcp-servers"), try ServerName("id-a.2"), .drain))
            await next.reconcile()
            #expect(try await servers(stand) == ["id-a.2 ready"])
            #expect(try await stand.processID() == before.process)
        }
    }

    @Test("a step that HAProxy refuses half-way through a replacement: the node is served as before, by its old server")
    func undone() async throws {
        try await withDriverStand { stand in
            let a = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver()
            let b = Node(key: .id("b"), address: "127.0.0.1", port: 1, isBackup: true)
            try await driver.update([try balancer(port: port, [try a.node(), b])])
            let process = try await stand.processID()
            let open = try OpenConnection(port: port)
            defer { open.close() }
            let relay = try UnixSocketRelay(at: stand.socket) { line in
                line.hasPrefix("set server tcp-servers/id-b state maint")
                    ? .replace("set server tcp-servers/nobody state maint") : .forward
            }
            defer { relay.close() }
            let heavier = Node(key: .id("b"), address: "127.0.0.1", port: 1, weight: 9)
            let error = try await #require(throws: DriverError.self) {
                try await driver.update([try balancer(port: port, [try a.node(isBackup: true), heavier])])
            }
            #expect(error.message.contains("'set server tcp-servers/id-b state maint'"))
            #expect(error.failedNodes.map(\.description) == ["tcp/b"])
            try await eventually { try await servers(stand) == ["id-a ready", "id-b ready"] }
            #expect(await names(at: port) == ["a"])
            #expect(await open.askForName() == "a")
            #expect(try await stand.processID() == process)
            #expect(!stand.hasPendingChange)
        }
    }

    @Test("nodes with host names are added and moved while HAProxy runs; the file keeps the name")
    func hostNames() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let driver = try await stand.driver()
            func named(_ id: NodeID, _ port: Int) throws -> Node {
                Node(key: .id(id), address: "localhost", port: try portNumber(port))
            }
            func addresses() async throws -> Set<String> {
                Set(try await stand.runtime.serversState().rows.map { "\($0.name) \($0.address):\($0.port)" })
            }
            try await driver.update([try balancer(port: port, [try a.node()])])
            let process = try await stand.processID()
            try await driver.update([try balancer(port: port, [try a.node(), try named("b", b.port)])])
            #expect(try await driver.statistics()[0].nodes.map(\.isUp) == [true, true])
            #expect(stand.configuration.contains("server id-b localhost:\(b.port) "))
            // The look-up may give either family; a fresh start gives the same.
            let added = try await addresses()
            try await driver.update([try balancer(port: port, [try named("a", b.port), try named("b", a.port)])])
            #expect(try await driver.statistics()[0].nodes.map(\.isUp) == [true, true])
            let moved = try await addresses()
            #expect(moved != added)
            #expect(try await stand.processID() == process)
            try await stand.service.reload()
            try await eventually { try await stand.processID() != process }
            #expect(try await addresses() == moved)
            await driver.reconcile()
            #expect(try await addresses() == moved)
            let next = try await stand.processID()
            try await driver.update([try balancer(port: port, [try a.node(), try named("b", a.port)])])
            #expect(try await stand.processID() == next)
            #expect(try await addresses().contains("id-a 127.0.0.1:\(a.port)"))
        }
    }
}
