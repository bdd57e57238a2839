import HAProxy
import LoadBalancing
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// What HAProxy knows of its servers when it has been reloaded.
@Suite struct DriverServerStateTests {
    private let backend: ProxyName
    private let (a, b): (ServerName, ServerName)

    init() throws {
        backend = try ProxyName("http-servers")
        (a, b) = (try ServerName("id-a"), try ServerName("id-b"))
    }

    /// A balancer whose nodes are checked seldom, and stay down for long; another time-out takes a reload.
    private func balancer(
        port: Int, timeout: Timeout = 30_000, path: CheckPath? = nil, _ nodes: [Node]
    ) throws -> LoadBalancer {
        let monitor = Monitor(
            kind: path == nil ? .connect : .http, delay: 60, timeout: 10, attempts: 10, path: path ?? "/")
        return try LoadBalancer(
            protocol: .http, address: "127.0.0.1", port: try portNumber(port), monitor: monitor,
            options: BalancerOptions(clientTimeout: timeout), nodes: nodes)
    }

    private func states(_ stand: DriverStand) async throws -> [String: String] {
        try await stand.runtime.serversState(backend: backend).rows.reduce(into: [:]) { states, row in
            states[row.name] = "\(row.isDown ? "down" : "up") \(row.adminState) \(row.weight) \(row.port)"
        }
    }

    private func file(_ stand: DriverStand) -> String { readText(stand.folder + "/servers.state") }

    /// Does `body`, which has to reload HAProxy.
    private func reloading(_ stand: DriverStand, _ body: () async throws -> Void) async throws {
        let process = try await stand.processID()
        try await body()
        #expect(try await stand.processID() != process)
        #expect(file(stand) == "1\n")
    }

    @Test("a node that is down stays down, and is asked nothing, when HAProxy is reloaded")
    func staysDown() async throws {
        try await withDriverStand { stand in
            let (one, two) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let driver = try await stand.driver()
            let nodes = [try one.node(), try two.node()]
            try await driver.update([try balancer(port: port, nodes)])
            try await stand.runtime.perform(.setServerHealth(backend, b, .down))
            try await reloading(stand) { try await driver.update([try balancer(port: port, timeout: 20_000, nodes)]) }
            #expect(await names(at: port) == ["a"])
            #expect(two.requests == 0)
            #expect(try await states(stand)["id-b"]?.hasPrefix("down ready") == true)
            // Stopping and resuming traffic are reloads as well.
            try await reloading(stand) { try await driver.suspend() }
            try await reloading(stand) { try await driver.enable() }
            #expect(await names(at: port) == ["a"])
            // Another question may find another answer.
            try await reloading(stand) {
                try await driver.update([try balancer(port: port, path: "/other", nodes)])
            }
            #expect(try await states(stand).values.allSatisfy { $0.hasPrefix("up ready") })
            try await stand.runtime.perform(.setServerHealth(backend, b, .down))
            // Who starts HAProxy later starts afresh.
            try await reloading(stand) { try await stand.service.reload() }
            #expect(try await states(stand).values.allSatisfy { $0.hasPrefix("up ready") })
            try await driver.delete()
            #expect(file(stand).isEmpty)
        }
    }

    @Test("many nodes with an hour between their checks are not all checked at the moment of a start")
    func firstChecks() async throws {
        try await withDriverStand { stand in
            let driver = try await stand.driver()
            let nodes = try (0..<1000).map { number in
                try Node(
                    key: .id(#require(NodeID(validating: "\(number)"))),
                    address: #require(NodeAddress(validating: "127.0.\(number / 250).\(number % 250 + 1)")),
                    port: portNumber(9))
            }
            let monitor = Monitor(kind: .connect, delay: 3600, timeout: 10, attempts: 2)
            try await driver.update([
                try LoadBalancer(
                    protocol: .http, address: "127.0.0.1", port: try portNumber(try freePort()), monitor: monitor,
                    nodes: nodes)
            ])
            func checked() async throws -> Int {
                try await stand.runtime.statistics(kinds: .servers).rows.count { $0.checkStatus != "INI" }
            }
            // In its first second HAProxy would have done 400 of them.
            #expect(try await checked() < 200)
            try await eventually("the first checks") { try await checked() > 0 }
        }
    }

    @Test("what was drained, disabled or weighted by hand stays so after a reload, unless that is repaired anyway")
    func byHand() async throws {
        for mode in HAProxyDriverOptions.Reconciliation.allCases {
            try await withDriverStand { stand in
                let port = try freePort()
                let driver = try await stand.driver(reconciliation: mode)
                func nodes(weight: LoadBalancing.Weight = 4) -> [Node] {
                    ["a", "b", "c", "d"].map {
                        Node(key: .id($0), address: "127.0.0.1", port: 1, weight: weight)
                    }
                }
                try await driver.update([try balancer(port: port, nodes(weight: 5))])
                // What steps have set is not by hand.
                try await driver.update([try balancer(port: port, nodes())])
                try await stand.runtime.perform([
                    .setServerState(backend, a, .drain), .setServerState(backend, b, .maint),
                    .setWeight(backend, try ServerName("id-c"), try Weight(9)),
                ])
                try await reloading(stand) {
                    try await driver.update([try balancer(port: port, timeout: 20_000, nodes())])
                }
                let states = try await states(stand).mapValues {
                    $0.split(separator: " ")[1...2].joined(separator: " ")
                }
                let isKept = mode != .repair
                #expect(states["id-a"] == (isKept ? "drain 4" : "ready 4"))
                #expect(states["id-b"] == (isKept ? "maint 4" : "ready 4"))
                #expect(states["id-c"] == (isKept ? "ready 9" : "ready 4"))
                #expect(states["id-d"] == "ready 4")
                // What an UPDATE says wins.
                try await reloading(stand) {
                    try await driver.update([try balancer(port: port, timeout: 10_000, nodes(weight: 2))])
                }
                #expect(try await self.states(stand).values.allSatisfy { $0.hasSuffix(" ready 2 1") })
            }
        }
    }

    @Test("a node that moves with a reload has its new address and port, and its new state; it is not down any more")
    func moves() async throws {
        try await withDriverStand { stand in
            // The first check comes at once, so the nodes have to be there.
            let (one, two) = (try portNumber(try NamedNode("1").port), try portNumber(try NamedNode("2").port))
            let port = try freePort()
            let driver = try await stand.driver()
            func update(_ timeout: Timeout, _ nodes: [Node]) async throws {
                try await driver.update([try balancer(port: port, timeout: timeout, nodes)])
            }
            func node(_ id: NodeID, port: LoadBalancing.Port? = nil, _ condition: Condition = .enabled) -> Node {
                Node(key: .id(id), address: "127.0.0.1", port: port ?? one, condition: condition)
            }
            func backup() -> Node { Node(key: .id("a"), address: "127.0.0.1", port: two, isBackup: true) }
            try await update(30_000, [node("a"), node("b"), node("c", .disabled), node("d")])
            for name in [a, b, try ServerName("id-d")] {
                try await stand.runtime.perform(.setServerHealth(backend, name, .down))
            }
            try await reloading(stand) {
                try await update(20_000, [node("a", port: two), node("b", .disabled), node("c"), node("d", .draining)])
            }
            #expect(
                try await states(stand) == [
                    "id-a": "up ready 1 \(two)", "id-b": "down maint 1 \(one)", "id-c": "up ready 1 \(one)",
                    "id-d": "down ready 0 \(one)",
                ])
            // Also where another server has taken the place of a node's first one.
            try await update(20_000, [backup(), node("d")])
            try await stand.runtime.perform(.setServerHealth(backend, try ServerName("id-a.2"), .down))
            try await reloading(stand) { try await update(10_000, [backup(), node("d")]) }
            #expect(try await states(stand) == ["id-a": "down ready 1 \(two)", "id-d": "down ready 1 \(one)"])
        }
    }

    @Test("a cookie's key gives clients other cookies, and PLAN does not show it")
    func cookieKey() async throws {
        try await withDriverStand { stand in
            let balancers = [try balancer(port: try freePort(), [Node(key: .id("a"), address: "127.0.0.1", port: 1)])]
            try await stand.driver().update(balancers)
            func cookie() async throws -> String? {
                try await stand.runtime.statistics(kinds: .servers).rows.first?.cookie
            }
            let plain = try await cookie()
            let secret = "0123456789abcdef"
            let driver = try await stand.driver(cookieKey: CookieKey(secret))
            let plan = try await driver.plan(balancers)
            #expect(plan.configuration.contains("dynamic-cookie-key http-servers:*****\n"))
            #expect(!plan.reloadReasons.isEmpty && !"\(plan)".contains(secret))
            try await driver.update(balancers)
            #expect(try await cookie() != plain)
        }
    }

    @Test("what is known of servers survives a reload that is undone, and a worker that ended amid one")
    func undone() async throws {
        try await withDriverStand { stand in
            let port = try freePort()
            let script = FaultScript()
            let driver = try await stand.driver(wrap: { FaultyService($0, script) })
            let node = try portNumber(try NamedNode("1").port)
            let nodes = ["a", "b"].map { (id: NodeID) in Node(key: .id(id), address: "127.0.0.1", port: node) }
            try await driver.update([try balancer(port: port, nodes)])
            try await stand.runtime.perform(.setServerHealth(backend, b, .down))
            // HAProxy has the new file when the reload fails, and the old one when that of the undoing does.
            script.become(.failThenVanish(.reload, at: 100))
            await #expect(throws: DriverError.self) {
                try await driver.update([try balancer(port: port, timeout: 20_000, nodes)])
            }
            #expect(try await states(stand) == ["id-a": "up ready 1 \(node)", "id-b": "down ready 1 \(node)"])
            #expect(stand.configuration.contains("timeout client 30s"))
            #expect(file(stand) == "1\n")
            try AtomicFile(path: stand.folder + "/servers.state").write(Array("1\n# left over\n".utf8))
            _ = try await stand.driver()
            #expect(file(stand) == "1\n")
        }
    }
}
