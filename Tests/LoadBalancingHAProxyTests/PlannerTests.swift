import HAProxy
import TestServers
import Testing

@testable import LoadBalancingHAProxy

@Suite struct PlannerTests {
    private let web: ProxyName

    init() throws { web = try ProxyName("web") }

    private func server(
        _ name: String, _ address: String = "10.0.0.1", port: Int = 80, weight: Int = 1, isBackup: Bool = false,
        isDisabled: Bool = false, interval: Int = 30_000, limit: Int? = nil
    ) throws -> Server {
        var server = Server(
            name: try ServerName(name), address: try Address(address), port: try Port(port),
            weight: try Weight(weight), check: ServerCheck(interval: try Milliseconds(interval)))
        server.isBackup = isBackup
        server.isDisabled = isDisabled
        server.maximumConnections = try limit.map { try Count($0) }
        return server
    }

    private func configuration(
        _ servers: [Server], _ edit: (inout Configuration) throws -> Void = { _ in }
    ) throws -> Configuration {
        var configuration = Configuration()
        configuration.frontends = [
            Frontend(
                name: try ProxyName("web-in"), mode: .http, binds: [Bind(.anyIPv4, port: try Port(80))],
                defaultBackend: web)
        ]
        configuration.backends = [Backend(name: web, mode: .http, servers: servers)]
        try edit(&configuration)
        return configuration
    }

    /// The steps of a plan in words; `reload: …` for a reload.
    private func plan(_ old: [Server], _ new: [Server], resolved: [Address: Address] = [:]) throws -> [String] {
        words(
            Planner.plan(from: LiveState(try configuration(old)), to: try configuration(new), resolved: resolved))
    }

    private func words(_ plan: Plan) -> [String] {
        switch plan {
        case .nothing: []
        case .steps(let steps): steps.map(\.description)
        case .reload(let reasons): reasons.map { "reload: \($0)" }
        }
    }

    @Test("equal states need nothing, in whatever order their servers are")
    func nothing() throws {
        let (a, b) = (try server("a"), try server("b"))
        #expect(try plan([a, b], [a, b]).isEmpty)
        #expect(try plan([a, b], [b, a]).isEmpty)
    }

    @Test("each change of a server is a step of its own, without a reload")
    func transitions() throws {
        let a = try server("a")
        #expect(try plan([a], [server("a", weight: 5)]) == ["set the weight of web/a to 5"])
        #expect(try plan([a], [server("a", weight: 0)]) == ["set the weight of web/a to 0"])
        #expect(try plan([a], [server("a", "10.0.0.2")]) == ["move web/a to 10.0.0.2:80"])
        #expect(try plan([a], [server("a", "2001:db8::1")]) == ["move web/a to [2001:db8::1]:80"])
        #expect(try plan([a], [server("a", port: 81)]) == ["move web/a to 10.0.0.1:81"])
        #expect(try plan([a], [server("a", isDisabled: true)]) == ["take web/a out of service"])
        #expect(try plan([server("a", isDisabled: true)], [a]) == ["put web/a in service"])
        #expect(
            try plan([a], [a, server("b")]) == ["add web/b at 10.0.0.1:80, weight 1", "put web/b in service"])
        #expect(
            try plan([a], [a, server("b", isBackup: true, isDisabled: true)])
                == ["add web/b at 10.0.0.1:80, weight 1, backup, in maintenance"])
        #expect(try plan([a, server("b")], [a]) == ["take web/b out of service and remove it"])
        #expect(try plan([a], [server("a", limit: 5)]) == ["set the connection limit of web/a to 5"])
        #expect(try plan([server("a", limit: 5)], [a]) == ["lift the connection limit of web/a"])
        #expect(try plan([server("a", limit: 0)], [a]).isEmpty)
    }

    @Test("another limit of a frontend is a step; the first one, and none any more, take a reload")
    func frontendLimit() throws {
        func words(_ old: Int?, _ new: Int?) throws -> [String] {
            func state(_ limit: Int?) throws -> Configuration {
                try configuration([]) { $0.frontends[0].maximumConnections = try limit.map { try Count($0) } }
            }
            var live = LiveState(try state(old))
            let plan = Planner.plan(from: live, to: try state(new))
            for step in plan.steps ?? [] { live.apply(step) }
            if !plan.isReload { #expect(Planner.plan(from: live, to: try state(new)) == .nothing) }
            return self.words(plan)
        }
        #expect(try words(5, 6) == ["set the connection limit of web-in to 6"])
        #expect(try words(nil, 6) == ["reload: frontend web-in: connection limit"])
        #expect(try words(6, nil) == ["reload: frontend web-in: connection limit"])
        #expect(try words(nil, 0).isEmpty)
    }

    @Test("what HAProxy cannot change of a server that runs is changed by another that takes its place")
    func replacement() throws {
        let a = try server("a")
        let gone = "take web/a out of service and remove it"
        #expect(
            try plan([a], [server("a", isBackup: true)]) == [
                "add web/a.2 at 10.0.0.1:80, weight 1, backup", "put web/a.2 in service", gone,
            ])
        #expect(
            try plan([a], [server("a", "10.0.0.2", weight: 3, interval: 5000)]) == [
                "add web/a.2 at 10.0.0.2:80, weight 3", "put web/a.2 in service", gone,
            ])
        #expect(
            try plan([a], [server("a", isDisabled: true, interval: 5000)]) == [
                "add web/a.2 at 10.0.0.1:80, weight 1, in maintenance", gone,
            ])
        #expect(
            try plan([server("a", isDisabled: true)], [server("a", interval: 5000)]) == [
                "add web/a.2 at 10.0.0.1:80, weight 1", "put web/a.2 in service", gone,
            ])
    }

    @Test("a backup and an active node that change places never both take traffic as active ones")
    func galera() throws {
        for names in [("a", "b"), ("b", "a")] {
            let old = [try server(names.0), try server(names.1, isBackup: true)]
            let new = [try server(names.0, isBackup: true), try server(names.1)]
            for order in [[new[0], new[1]], [new[1], new[0]]] {
                #expect(
                    try plan(old, order).suffix(4) == [
                        "put web/\(names.0).2 in service", "take web/\(names.0) out of service and remove it",
                        "put web/\(names.1).2 in service", "take web/\(names.1) out of service and remove it",
                    ])
            }
        }
    }

    @Test("a node that is replaced again gets a third server, or the first again where that is still there")
    func replacedTwice() throws {
        let (first, second, third) = (try server("a"), try server("a", interval: 5000), try server("a", interval: 1000))
        var live = LiveState(try configuration([first]))
        func change(to server: Server) throws -> [String] {
            let plan = Planner.plan(from: live, to: try configuration([server]))
            for step in plan.steps ?? [] { live.apply(step) }
            #expect(Planner.plan(from: live, to: try configuration([server])) == .nothing)
            return words(plan)
        }
        _ = try change(to: second)
        #expect(try change(to: first) == ["put web/a in service", "take web/a.2 out of service and remove it"])
        #expect(
            try change(to: third) == [
                "add web/a.3 at 10.0.0.1:80, weight 1", "put web/a.3 in service",
                "take web/a out of service and remove it",
            ])
        #expect(live.leaving.map(\.description).sorted() == ["web/a", "web/a.2"])
        for place in live.leaving { live.remove(place) }
        #expect(try change(to: first).first == "add web/a.4 at 10.0.0.1:80, weight 1")
        // Removed altogether, and back.
        let none = Planner.plan(from: live, to: try configuration([]))
        #expect(words(none) == ["take web/a.4 out of service and remove it"])
    }

    @Test("no server gets the number of one that was there before, which entries of stick tables may still have")
    func numbers() throws {
        var live = LiveState(try configuration([try server("a"), try server("b")]))
        func numbers(_ servers: [Server]) throws -> [Int] {
            let steps = try #require(Planner.plan(from: live, to: try configuration(servers)).steps)
            for step in steps { live.apply(step) }
            for place in live.leaving { live.remove(place) }
            return steps.compactMap { if case .add(_, _, _, let number, _) = $0 { number } else { nil } }
        }
        let first = LiveState.firstNumber
        #expect(try numbers([server("c")]) == [first])
        #expect(try numbers([server("c", isBackup: true), server("d")]) == [first + 1, first + 2])
        try live.observe(try state(["web \(first + 8) c.2 10.0.0.1 2 0 1 - 80"]), of: [web])
        #expect(try numbers([server("c", isBackup: true), server("e")]) == [first + 9])
    }

    @Test("a node that drains and comes back otherwise: its old server keeps no clients that belong to it")
    func comesBackOtherwise() throws {
        var live = LiveState(try configuration([try server("a")]))
        live.apply(.retire(ServerPlace(backend: web, server: try ServerName("a")), into: .drain))
        #expect(
            words(Planner.plan(from: live, to: try configuration([try server("a", isBackup: true)]))) == [
                "add web/a.2 at 10.0.0.1:80, weight 1, backup", "put web/a.2 in service",
                "take web/a out of service and remove it",
            ])
    }

    @Test("more servers than are replaced one by one take a reload, and the plan says so")
    func replacementLimit() throws {
        func plan(_ replaced: Int, of count: Int) throws -> Plan {
            let numbers = 1...count
            return Planner.plan(
                from: LiveState(try configuration(try numbers.map { try server("n\($0)") })),
                to: try configuration(try numbers.map { try server("n\($0)", isBackup: $0 <= replaced) }))
        }
        #expect(try plan(500, of: 500).steps?.count == 1500)
        #expect(try plan(600, of: 3000).steps?.count == 1800)
        for (replaced, count) in [(501, 501), (601, 3000)] {
            let reasons = words(try plan(replaced, of: count))
            #expect(reasons.count == 1)
            #expect(reasons[0].hasPrefix("reload: backend web: \(replaced) servers change their backup or"))
            #expect(reasons[0].hasSuffix("more than \(replaced - 1) are not replaced one by one"))
        }
    }

    @Test("a host name is written as such, and its address goes over the wire; without one it takes a reload")
    func hostNames() throws {
        let a = try server("a")
        let reload = "it is looked up by a reload"
        #expect(try plan([a], [server("a", "node.example")]) == ["reload: host name node.example of a: \(reload)"])
        #expect(
            try plan([a], [a, server("b", "node.example")]) == ["reload: host name node.example of b: \(reload)"])
        let resolved = [try Address("node.example"): try Address("10.0.0.7")]
        let moved = try plan([a], [server("a", "node.example")], resolved: resolved)
        #expect(moved == ["move web/a to node.example:80 (10.0.0.7)"])
        let added = Planner.plan(
            from: LiveState(try configuration([a])), to: try configuration([a, try server("b", "node.example")]),
            resolved: resolved)
        #expect(words(added)[0] == "add web/b at node.example:80 (10.0.0.7), weight 1")
        let commands = try added.steps?.flatMap { try $0.commands().map(\.text) }
        #expect(commands?[0] == "add server web/b 10.0.0.7:80 weight 1 id 1000000 check inter 30s")
        let named = try server("a", "node.example")
        #expect(try plan([named], [named]).isEmpty)
        // HAProxy may not have found the name, and then moves the server nowhere.
        #expect(
            try plan([named], [a]) == [
                "add web/a.2 at 10.0.0.1:80, weight 1", "put web/a.2 in service",
                "take web/a out of service and remove it",
            ])
        var live = LiveState(try configuration([named]))
        try live.observe(try state(["web 1 a - 0 32 1 node.example 80"]), of: [web])
        #expect(words(Planner.plan(from: live, to: try configuration([a]))).count == 3)
        try live.observe(try state(["web 1 a 10.0.0.7 2 0 1 node.example 80"]), of: [web])
        #expect(words(Planner.plan(from: live, to: try configuration([a]))) == ["move web/a to 10.0.0.1:80"])
    }

    @Test("a node that keeps its host name stays where it is, also when it gets another port or server")
    func staysWithName() throws {
        let named = try server("a", "node.example")
        var live = LiveState(try configuration([named]))
        try live.observe(try state(["web 1 a 10.0.0.3 2 0 1 node.example 80"]), of: [web])
        #expect(Planner.plan(from: live, to: try configuration([named])) == .nothing)
        let elsewhere = [try Address("node.example"): try Address("10.0.0.7")]
        func words(_ server: Server) throws -> String? {
            self.words(Planner.plan(from: live, to: try configuration([server]), resolved: elsewhere)).first
        }
        #expect(try words(server("a", "node.example", port: 81)) == "move web/a to node.example:81 (10.0.0.3)")
        #expect(
            try words(server("a", "node.example", isBackup: true))
                == "add web/a.2 at node.example:80 (10.0.0.3), weight 1, backup")
        // Somebody has moved it by hand.
        try live.observe(try state(["web 1 a 10.0.0.9 2 0 1 node.example 80"]), of: [web])
        #expect(try words(named) == "move web/a to node.example:80 (10.0.0.7)")
    }

    @Test("a process whose servers were replaced is understood by a worker that starts anew")
    func recognized() throws {
        let wanted = try configuration([try server("a", interval: 5000)])
        func words(_ rows: [String], after earlier: LiveState? = nil) throws -> [String] {
            var live = LiveState(wanted)
            let state = try state(rows)
            try live.recognizeSuccessors(in: state, after: earlier)
            try live.observe(state, of: [web])
            return self.words(Planner.plan(from: live, to: wanted))
        }
        let (old, new) = ("web 1 a 10.0.0.1 0 1 1 - 80", "web 2 a.2 10.0.0.1 2 0 1 - 80")
        #expect(try words([new]).isEmpty)
        #expect(try words([old, new]) == ["take web/a out of service and remove it"])
        #expect(try words(["web 2 a.2 10.0.0.1 2 0 7 - 80"]) == ["set the weight of web/a.2 to 1"])
        // Both in service: nobody can tell which is as it should be, so a third takes the place of both.
        let first = "web 1 a 10.0.0.1 2 0 1 - 80"
        #expect(
            try words([first, new]) == [
                "add web/a.3 at 10.0.0.1:80, weight 1", "put web/a.3 in service",
                "take web/a.2 out of service and remove it", "take web/a out of service and remove it",
            ])
        // But who knows what was there before the steps that are taken back does know.
        #expect(try words([first, new], after: LiveState(wanted)) == ["take web/a.2 out of service and remove it"])
    }

    private func state(_ rows: [String], checks: String = "3 6 0 -") throws -> ServersState {
        let columns = "be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_fqdn srv_port"
        let others = "srv_check_health srv_check_state srv_check_port srv_check_addr"
        let lines = ["1", "# \(columns) \(others)"] + rows.map { "\($0) \(checks)" }
        return try ServersState(Array(lines.map { $0 + "\n" }.joined().utf8))
    }

    @Test("every field that only a reload changes is named", arguments: FixedChange.all)
    func fixed(_ change: FixedChange) throws {
        let live = LiveState(try configuration([try server("a")]))
        let wanted = try configuration([try server("a", weight: 9)], change.edit)
        #expect(Planner.plan(from: live, to: wanted) == .reload([change.reason]))
    }

    @Test("comments and the order of proxies make no difference")
    func irrelevant() throws {
        let other = Backend(name: try ProxyName("other"), mode: .http)
        let old = try configuration([]) { $0.backends.append(other) }
        let new = try configuration([]) {
            $0.backends.insert(other, at: 0)
            $0.header = [try Comment("Another.")]
        }
        #expect(Planner.plan(from: LiveState(old), to: new) == .nothing)
    }

    @Test("servers are put in service before others are taken out of it, and get their cookies when they are added")
    func order() throws {
        let cookie = CookiePersistence(name: try Word("SERVERID"), dynamicKey: try Word("key"))
        func configuration(_ servers: [Server]) throws -> Configuration {
            try self.configuration(servers) { $0.backends[0].cookie = cookie }
        }
        let old = LiveState(try configuration([try server("a"), try server("b"), try server("z", weight: 0)]))
        let new = try configuration([
            try server("a", weight: 0), try server("c"), try server("d"), try server("z", weight: 2),
        ])
        #expect(
            words(Planner.plan(from: old, to: new)) == [
                "add web/c at 10.0.0.1:80, weight 1", "add web/d at 10.0.0.1:80, weight 1",
                "put web/c in service", "put web/d in service", "set the weight of web/z to 2",
                "set the weight of web/a to 0", "take web/b out of service and remove it",
            ])
    }

    @Test("a server gets its cookie by a change of its port, before it is checked or takes traffic")
    func cookie() throws {
        func commands(port: Int, withCookie: Bool) throws -> [String] {
            let server = try server("a", port: port)
            let step = PlanStep.add(web, server, at: server.address, number: 7, withCookie: withCookie)
            return try step.commands().map { $0.text.replacing(" weight 1 id 7 check inter 30s", with: "") }
        }
        let health = "enable health web/a"
        #expect(
            try commands(port: 80, withCookie: true)
                == ["add server web/a 10.0.0.1:1", "set server web/a addr 10.0.0.1 port 80", health])
        #expect(
            try commands(port: 1, withCookie: true)
                == ["add server web/a 10.0.0.1:2", "set server web/a addr 10.0.0.1 port 1", health])
        #expect(try commands(port: 80, withCookie: false) == ["add server web/a 10.0.0.1:80", health])
    }

    @Test("a server that is added again while it drains goes back in service; one that leaves is left alone")
    func leaving() throws {
        let (a, b) = (try server("a"), try server("b"))
        var live = LiveState(try configuration([a, b]))
        live.apply(.retire(ServerPlace(backend: web, server: b.name), into: .drain))
        #expect(live.leaving.map(\.description) == ["web/b"])
        #expect(Planner.plan(from: live, to: try configuration([a])) == .nothing)
        #expect(words(Planner.plan(from: live, to: try configuration([a, b]))) == ["put web/b in service"])
        live.apply(.setState(ServerPlace(backend: web, server: b.name), .ready))
        #expect(live == LiveState(try configuration([a, b])))
    }

    @Test("what HAProxy says of its servers takes the place of what was thought of them")
    func observed() throws {
        let (a, b, c) = (try server("a"), try server("b"), try server("c", "node.example"))
        var live = LiveState(try configuration([a, b, c]))
        let rows = [
            "web 1 a 10.9.9.9 2 0 7 - 80", "web 3 c 10.0.0.3 0 32 1 node.example 80",
            "web 4 hand 10.0.0.4 2 8 1 - 80",
        ]
        try live.observe(try state(rows), of: [web])
        #expect(
            words(Planner.plan(from: live, to: try configuration([a, b, c]))) == [
                "add web/b at 10.0.0.1:80, weight 1", "move web/a to 10.0.0.1:80", "set the weight of web/a to 1",
                "put web/b in service", "take web/hand out of service and remove it",
            ])
    }

    @Test("checks that somebody has stopped go on, and those that were led elsewhere take another server")
    func checks() throws {
        let wanted = try configuration([try server("a")])
        func words(_ checks: String) throws -> [String] {
            var live = LiveState(wanted)
            try live.observe(try state(["web 1 a 10.0.0.1 2 0 1 - 80"], checks: checks), of: [web])
            let plan = Planner.plan(from: live, to: wanted)
            for step in plan.steps ?? [] { live.apply(step) }
            #expect(Planner.plan(from: live, to: wanted) == .nothing)
            return self.words(plan)
        }
        let replaced = [
            "add web/a.2 at 10.0.0.1:80, weight 1", "put web/a.2 in service",
            "take web/a out of service and remove it",
        ]
        #expect(try words("3 6 0 -").isEmpty)
        // It is in maintenance, or being checked at this moment.
        #expect(try words("3 15 0 -").isEmpty)
        #expect(try words("3 2 0 -") == ["check web/a again"])
        #expect(try words("3 6 1 -") == replaced)
        #expect(try words("3 6 0 10.0.0.9") == replaced)
    }

    @Test("a limit that somebody has set is lifted, and one that was asked for is set again")
    func limits() throws {
        let wanted = try configuration([try server("a"), try server("b", limit: 5)])
        func words(_ a: String, _ b: String) throws -> [String] {
            var live = LiveState(wanted)
            let rows = "# pxname,svname,status,slim,\nweb,a,UP,\(a),\nweb,b,UP,\(b),\nweb,BACKEND,UP,7,\n\n"
            try live.observeLimits(in: try Statistics(Array(rows.utf8)))
            return self.words(Planner.plan(from: live, to: wanted))
        }
        #expect(try words("", "5").isEmpty)
        #expect(try words("1", "5") == ["lift the connection limit of web/a"])
        #expect(try words("", "") == ["set the connection limit of web/b to 5"])
    }

    @Test("after the steps of a plan nothing is left to do")
    func converges() throws {
        let addresses = ["10.0.0.1", "10.0.0.2", "one.example", "two.example"]
        let resolved = try ["one.example": "10.0.0.1", "two.example": "2001:db8::2"].reduce(into: [:]) {
            $0[try Address($1.key)] = try Address($1.value)
        }
        var random = SplitMix64.forThisRun()
        func servers() throws -> [Server] {
            try ["a", "b", "c", "d"].filter { _ in .random(using: &random) }.map { name in
                try server(
                    name, try #require(addresses.randomElement(using: &random)),
                    port: .random(in: 80...81, using: &random), weight: .random(in: 0...2, using: &random),
                    isBackup: .random(using: &random), isDisabled: .random(using: &random),
                    interval: Bool.random(using: &random) ? 1000 : 2000,
                    limit: [nil, 1, 2].randomElement(using: &random) ?? nil)
            }
        }
        for _ in 0..<500 {
            var live = LiveState(try configuration(try servers()))
            // Several changes in a row, the servers that leave being gone in between, or not.
            for _ in 1...4 {
                let wanted = try configuration(try servers())
                let plan = Planner.plan(from: live, to: wanted, resolved: resolved)
                let steps = try #require(plan.steps)
                for step in steps {
                    if case .add(let backend, let server, _, _, _) = step {
                        #expect(live.servers[backend]?[server.name] == nil, "\(server.name) is there already")
                    }
                    live.apply(step)
                }
                #expect(Planner.plan(from: live, to: wanted) == .nothing)
                #expect(inService(live) == inService(LiveState(wanted)))
                let leaving = live.leaving.sorted { "\($0)" < "\($1)" }
                for place in leaving where Bool.random(using: &random) { live.remove(place) }
            }
        }
    }

    /// What takes traffic, as a fresh start has it: every server with the name that the configuration has for it.
    private func inService(_ live: LiveState) -> [ServerName: LiveServer] {
        var servers: [ServerName: LiveServer] = [:]
        for var server in (live.servers[web] ?? [:]).values where !server.isLeaving {
            server.server.name = server.server.name.plain
            server.address = nil
            #expect(servers.updateValue(server, forKey: server.server.name) == nil)
        }
        return servers
    }
}

/// A change that only a reload makes.
struct FixedChange: Sendable, CustomTestStringConvertible {
    let reason: String
    let edit: @Sendable (inout Configuration) throws -> Void
    var testDescription: String { reason }

    init(_ reason: String, _ edit: @escaping @Sendable (inout Configuration) throws -> Void) {
        self.reason = reason
        self.edit = edit
    }

    static let all = [
        FixedChange("frontend web-in: address or port") { $0.frontends[0].binds[0].port = try Port(81) },
        FixedChange("frontend web-in: whether it listens") { $0.frontends[0].isDisabled = true },
        FixedChange("frontend web-in: client_timeout") { $0.frontends[0].clientTimeout = try Milliseconds(5) },
        FixedChange("frontend web-in is removed") { $0.frontends = [] },
        FixedChange("backend web: algorithm") { $0.backends[0].balance = .leastConnections },
        FixedChange("backend web: protocol") { $0.backends[0].mode = .tcp },
        FixedChange("backend web: cookie") { $0.backends[0].cookie = CookiePersistence(name: try Word("X")) },
        FixedChange("backend web: monitor's type or path") {
            $0.backends[0].httpCheck = HTTPCheck(path: try RequestPath("/x"))
        },
        FixedChange("backend web: monitor's timeout") { $0.backends[0].timeouts.check = try Milliseconds(5) },
        FixedChange("backend web: connect_timeout") { $0.backends[0].timeouts.connect = try Milliseconds(5) },
        FixedChange("backend web: server_timeout") { $0.backends[0].timeouts.server = try Milliseconds(5) },
        FixedChange("backend web: connect_retries") { $0.backends[0].retries = try Count(5) },
        FixedChange("backend new is new") { $0.backends.append(Backend(name: try ProxyName("new"), mode: .http)) },
        FixedChange("the global settings") { $0.global.maximumConnections = try Count(5) },
        FixedChange("the default settings") { $0.defaults.retries = try Count(5) },
    ]
}
