import HAProxy
import LoadBalancing
import SystemPackage
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// Changes while removed nodes, or servers that somebody added by hand, still have connections.
@Suite struct DriverDrainTests {
    @Test("a node removed and added again keeps its connection, takes traffic, and outlives its earlier drain time")
    func addedAgain() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let driver = try await stand.driver(drainTimeout: 400)
            let both = [try balancer(.tcp, port: port, [try a.node(), try b.node()])]
            try await driver.update([try balancer(.tcp, port: port, [try a.node()])])
            let process = try await stand.processID()
            let open = try OpenConnection(port: port)
            defer { open.close() }
            try await eventually { try await driver.statistics()[0].nodes[0].sessions == 1 }
            try await driver.update([try balancer(.tcp, port: port, [try b.node()])])
            try await driver.update(both)
            // Longer than the drain time and the pause between two looks.
            try await Task.sleep(for: .milliseconds(1500))
            #expect(try await stand.servers().count { $0.hasSuffix("ready") } == 2)
            #expect(await open.askForName() == "a")
            // This client belongs to the node where it was last.
            try await driver.update([try balancer(.tcp, port: port, [try a.node()])])
            #expect(await names(at: port) == ["a"])
            #expect(try await stand.processID() == process)
        }
    }

    @Test("a client that belongs to a node, by a cookie or by its address, goes to another one when that is removed")
    func belonging() async throws {
        for kind in [BalancerProtocol.http, .tcp] {
            try await withDriverStand { stand in
                let (a, b) = (try NamedNode("a"), try NamedNode("b"))
                let port = try freePort()
                let driver = try await stand.driver(drainTimeout: 60_000)
                try await driver.update([try balancer(kind, port: port, [try a.node()])])
                func ask() async throws -> String {
                    let jar = "\(stand.folder)/jar"
                    return try await run("curl", ["-s", "-c", jar, "-b", jar, "http://127.0.0.1:\(port)/"]).output
                }
                let first = try await ask()
                #expect(first.contains("a"))
                // Keeps the node from being deleted.
                let open = try OpenConnection(port: port)
                defer { open.close() }
                try await driver.update([try balancer(kind, port: port, [try b.node()])])
                #expect(try await ask() == first.replacing("a", with: "b"))
            }
        }
    }

    @Test("an UPDATE that undoes the one before it leaves no trace, whatever that has changed")
    func backAndForth() async throws {
        try await withDriverStand { stand in
            let nodes = try ["a", "b", "c"].map { try NamedNode($0) }
            let port = try freePort()
            let driver = try await stand.driver()
            let key = try nodes[1].node().key
            let moved = Node(key: key, address: "127.0.0.1", port: try portNumber(nodes[2].port), weight: 7)
            let old = [try balancer(port: port, [try nodes[0].node(), try nodes[1].node()])]
            let new = [try balancer(port: port, [moved, try nodes[2].node(.draining)])]
            try await driver.update(old)
            let (process, file, servers) = (try await stand.processID(), stand.configuration, try await stand.servers())
            for _ in 1...5 {
                try await driver.update(new)
                try await driver.update(old)
            }
            try await eventually("the old servers") { try await stand.servers() == servers }
            #expect(stand.configuration == file)
            #expect(try await stand.processID() == process)
            #expect(await names(at: port) == ["a", "b"])
        }
    }

    @Test("changes by a step and by a reload while a node drains leave its connection alone")
    func changesWhileDraining() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let driver = try await stand.driver(drainTimeout: 30_000)
            try await driver.update([try balancer(.tcp, port: port, [try a.node(), try b.node(.disabled)])])
            let connections = [try OpenConnection(port: port), try OpenConnection(port: port)]
            defer { for connection in connections { connection.close() } }
            try await eventually { try await driver.statistics()[0].nodes[0].sessions == 2 }
            try await driver.update([try balancer(.tcp, port: port, [try b.node()])])
            try await driver.update([try balancer(.tcp, port: port, [try b.node(), try a.node(.disabled)])])
            try await driver.update([try balancer(.tcp, port: port, [try b.node()])])
            #expect(await connections[0].askForName() == "a")
            #expect(await names(at: port) == ["b"])
            let process = try await stand.processID()
            let other = try balancer(.tcp, id: "2", port: try freePort(), [try b.node()])
            try await driver.update([try balancer(.tcp, port: port, [try b.node()]), other])
            #expect(try await stand.processID() != process)
            #expect(try await stand.servers().count == 2)
            #expect(await connections[1].askForName() == "a")
        }
    }

    @Test("a server added by hand: a repair takes it out of service, and its connection ends by itself")
    func byHand() async throws {
        try await withDriverStand { stand in
            let (a, hand) = (try NamedNode("a"), try NamedNode("hand"))
            let port = try freePort()
            let driver = try await stand.driver(drainTimeout: 30_000)
            try await driver.update([try balancer(.tcp, port: port, [try a.node(.disabled)])])
            let (backend, name) = (try ProxyName("tcp-servers"), try ServerName("hand"))
            let server = Server(
                name: name, address: try Address("127.0.0.1"), port: try HAProxy.Port(hand.port))
            try await stand.runtime.perform([try .addServer(backend, server), .enableServer(backend, name)])
            let process = try await stand.processID()
            let open = try OpenConnection(port: port)
            try await eventually {
                try await stand.runtime.statistics().rows.contains { $0.server == "hand" && $0.currentSessions == 1 }
            }
            try await driver.update([try balancer(.tcp, port: port, [try a.node()])])
            await driver.reconcile()
            #expect(try await stand.servers().contains { $0.contains("/hand ") && $0.hasSuffix(" maint") })
            #expect(await names(at: port) == ["a"])
            #expect(await open.askForName() == "hand")
            open.close()
            try await eventually("the end of the server") {
                try await stand.servers() == ["tcp-servers/id-a 127.0.0.1:\(a.port) 1 ready"]
            }
            #expect(try await stand.processID() == process)
        }
    }

    @Test("PLAN answers while a change is under way, and does not wait for it")
    func planPasses() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let old = [try balancer(port: port, [try node.node()])]
            let new = [try balancer(port: port, [try node.node(.disabled)])]
            for call in [Interruption.Call.installStaged, .reload] {
                let script = FaultScript()
                let driver = try await stand.driver(alwaysReloads: call == .reload) { FaultyService($0, script) }
                try await driver.update(old)
                script.become(.wait(before: call))
                let update = Task { try await driver.update(new) }
                try await script.reached()
                let plan = try await driver.plan(new)
                #expect(plan.configuration.contains(" disabled"))
                #expect(plan.steps.map(\.text) == (call == .reload ? [] : ["take http-servers/id-a out of service"]))
                // A check behind an earlier reply may have come since.
                let last = script.interruptions.last { $0.call != .check }
                #expect(last == Interruption(call: call, isAfter: false))
                script.goOn()
                _ = try await update.value
            }
        }
    }
}
