import LoadBalancing
import TestServers
import Testing

@testable import LoadBalancingHAProxy

@Suite struct DriverUpdateTests {
    @Test("an UPDATE serves traffic to every node, and STATS shows them up")
    func everyNode() async throws {
        try await withDriverStand { stand in
            let nodes = try [NamedNode("a"), NamedNode("b"), NamedNode("c")]
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, nodes.map { try $0.node() })])
            #expect(await names(at: port) == ["a", "b", "c"])
            let statistics = try await driver.statistics()
            #expect(statistics.map(\.balancer.description) == ["http"])
            #expect(statistics[0].nodes.map(\.node.description) == ["a", "b", "c"])
            #expect(statistics[0].nodes.map(\.isUp) == [true, true, true])
            try await driver.ping()
        }
    }

    @Test("an UPDATE removes a balancer that it does not name, and leaves another at its place")
    func removes() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let (first, second) = (try freePort(), try freePort())
            let driver = try await stand.driver()
            let one = try balancer(id: "1", port: first, [try a.node()])
            try await driver.update([one, try balancer(.tcp, id: "2", port: second, [try b.node()])])
            #expect(await names(at: first) == ["a"])
            #expect(await names(at: second) == ["b"])
            try await driver.update([one])
            #expect(await names(at: first) == ["a"])
            try await untilRefused(port: second)
            #expect(try await driver.statistics().map(\.balancer.description) == ["http-1"])
        }
    }

    @Test("disabled, draining and backup nodes get no traffic; a backup does when it is the only one left")
    func conditions() async throws {
        try await withDriverStand { stand in
            let nodes = try ["on", "off", "drained", "spare"].map { try NamedNode($0) }
            let port = try freePort()
            let driver = try await stand.driver()
            func update(_ first: Condition) async throws {
                try await driver.update([
                    try balancer(
                        port: port,
                        [
                            try nodes[0].node(first), try nodes[1].node(.disabled), try nodes[2].node(.draining),
                            try nodes[3].node(isBackup: true),
                        ])
                ])
            }
            try await update(.enabled)
            #expect(await names(at: port) == ["on"])
            #expect(try await driver.statistics()[0].nodes.map(\.isUp) == [true, false, false, true])
            try await update(.disabled)
            #expect(await names(at: port) == ["spare"])
        }
    }

    @Test("TCP and GALERA carry any bytes; GALERA uses one node and its backup only when that is gone")
    func tcp() async throws {
        try await withDriverStand { stand in
            let nodes = try ["a", "b"].map { try NamedNode($0) }
            let (tcp, galera) = (try freePort(), try freePort())
            let driver = try await stand.driver()
            try await driver.update([
                try balancer(.tcp, port: tcp, [try nodes[0].node(), try nodes[1].node()]),
                try balancer(.galera, port: galera, [try nodes[0].node(), try nodes[1].node(isBackup: true)]),
            ])
            #expect(await names(at: tcp).count == 1, "one client stays with one node")
            #expect(await names(at: galera) == ["a"])
            try await driver.update([
                try balancer(.galera, port: galera, [try nodes[0].node(.disabled), try nodes[1].node(isBackup: true)])
            ])
            #expect(await names(at: galera) == ["b"])
        }
    }

    @Test("a balancer at '::' serves IPv6 and IPv4, one at '::1' only IPv6")
    func ipv6() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let (both, one) = (try freePort(), try freePort())
            let driver = try await stand.driver()
            try await driver.update([
                try balancer(id: "1", at: "::", port: both, [try node.node()]),
                try balancer(id: "2", at: "::1", port: one, [try node.node()]),
            ])
            #expect(await names(at: both, address: "::1") == ["a"])
            #expect(await names(at: both) == ["a"])
            #expect(await names(at: one, address: "::1") == ["a"])
            #expect(!accepts(port: one))
        }
    }

    @Test("a client that keeps its connection gets its next request answered after a reload, and connects anew then")
    func keptConnection() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver(alwaysReloads: true, drainTimeout: 30_000)
            try await driver.update([try balancer(port: port, [try node.node()])])
            let open = try OpenConnection(port: port)
            #expect(await open.askForNameAndStay() == "a")
            let process = try await stand.processID()
            try await driver.update([try balancer(port: port, [try node.node(isBackup: true)])])
            #expect(try await stand.processID() != process)
            // A moment in which the process that was replaced would close what is idle.
            try await Task.sleep(for: .milliseconds(200))
            #expect(await open.askForNameAndStay() == "a")
            #expect(await open.askForNameAndStay() == nil)
            open.close()
        }
    }

    @Test("the same UPDATE again touches neither HAProxy nor its file, after a restart of the worker too")
    func same() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let wanted = [try balancer(port: try freePort(), [try node.node()])]
            let driver = try await stand.driver()
            try await driver.update(wanted)
            let before = try await stand.fingerprint()
            try await driver.update(wanted)
            try await driver.enable()
            #expect(try await stand.fingerprint() == before)
            try await stand.driver().update(wanted)
            #expect(try await stand.fingerprint() == before)
        }
    }

    @Test("an UPDATE that changes nothing for HAProxy, a name for instance, is remembered without touching it")
    func nameOnly() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try portNumber(try freePort())
            func named(_ name: String) throws -> LoadBalancer {
                try LoadBalancer(
                    name: name, protocol: .http, address: "127.0.0.1", port: port, nodes: [try node.node()])
            }
            let driver = try await stand.driver()
            try await driver.update([try named("old")])
            let before = try await stand.fingerprint()
            try await driver.update([try named("new")])
            #expect(try await stand.fingerprint() == before)
            #expect(readText(stand.folder + "/state.json").contains("new"))
            #expect(!stand.hasPendingChange)
        }
    }

    @Test("no request fails while HAProxy is reloaded ten times")
    func reloads() async throws {
        try await withDriverStand { stand in
            let nodes = try ["a", "b"].map { try NamedNode($0) }
            let port = try freePort()
            let driver = try await stand.driver(alwaysReloads: true)
            func update(_ weight: Int) async throws {
                let weight = try #require(Weight(exactly: weight))
                let nodes = try nodes.map { node in
                    let plain = try node.node()
                    return Node(key: plain.key, address: plain.address, port: plain.port, weight: weight)
                }
                try await driver.update([try balancer(port: port, nodes)])
            }
            try await update(1)
            let load = Task {
                var (answered, failed) = (0, 0)
                while !Task.isCancelled {
                    if await askForName(port: port) != nil { answered += 1 } else { failed += 1 }
                }
                return (answered, failed)
            }
            var processes: Set<Int32> = []
            for weight in 2...11 {
                try await update(weight)
                processes.insert(try await stand.processID())
            }
            load.cancel()
            let (answered, failed) = await load.value
            #expect(processes.count == 10)
            #expect(failed == 0 && answered > 20, "\(answered) answered, \(failed) failed")
        }
    }

    @Test("a thousand nodes are configured and shown")
    func thousand() async throws {
        try await withDriverStand { stand in
            let nodes = try (1...1000).map { number in
                Node(key: .position(number), address: "127.0.0.1", port: try portNumber(20_000 + number))
            }
            let driver = try await stand.driver()
            let wanted = [try balancer(port: try freePort(), nodes)]
            try await driver.update(wanted)
            #expect(try await driver.statistics()[0].nodes.count == 1000)
            let before = try await stand.fingerprint()
            try await stand.driver().update(wanted)
            #expect(try await stand.fingerprint() == before)
        }
    }

    @Test("a change is made to its end although who asked for it is cancelled")
    func cancelled() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver()
            let wanted = [try balancer(port: port, [try node.node()])]
            let task = Task { try await driver.update(wanted) }
            task.cancel()
            _ = try await task.value
            #expect(await names(at: port) == ["a"])
        }
    }
}
