import HAProxy
import Testing

@testable import LoadBalancingHAProxy

@Suite struct PlannerTests {
    private let web: ProxyName

    init() throws { web = try ProxyName("web") }

    private func server(
        _ name: String, _ address: String = "10.0.0.1", port: Int = 80, weight: Int = 1, isBackup: Bool = false,
        isDisabled: Bool = false, interval: Int = 30_000
    ) throws -> Server {
        var server = Server(
            name: try ServerName(name), address: try Address(address), port: try Port(port),
            weight: try Weight(weight), check: ServerCheck(interval: try Milliseconds(interval)))
        server.isBackup = isBackup
        server.isDisabled = isDisabled
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
    private func plan(_ old: [Server], _ new: [Server]) throws -> [String] {
        words(Planner.plan(from: LiveState(try configuration(old)), to: try configuration(new)))
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
        #expect(try plan([a, server("b")], [a]) == ["drain and remove web/b"])
    }

    @Test("what HAProxy cannot change of a server that runs forces a reload, and is named")
    func serverReasons() throws {
        let a = try server("a")
        #expect(try plan([a], [server("a", isBackup: true)]) == ["reload: server web/a: backup"])
        #expect(
            try plan([a], [server("a", interval: 5000)]) == ["reload: server web/a: the monitor's delay or attempts"])
        let reason = "a host name is resolved by a reload"
        #expect(try plan([a], [server("a", "node.example")]) == ["reload: server web/a: \(reason)"])
        #expect(try plan([a], [a, server("b", "node.example")]) == ["reload: server web/b: \(reason)"])
        let named = try server("a", "node.example")
        #expect(try plan([named], [named]).isEmpty)
        #expect(try plan([named], [a]) == ["move web/a to 10.0.0.1:80"])
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

    @Test("servers are put in service before others are taken out of it, and get their cookies before that")
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
                "give the new servers of web their cookies",
                "put web/c in service", "put web/d in service", "set the weight of web/z to 2",
                "set the weight of web/a to 0", "drain and remove web/b",
            ])
    }

    @Test("a server that is added again while it drains goes back in service; one that leaves is left alone")
    func leaving() throws {
        let (a, b) = (try server("a"), try server("b"))
        var live = LiveState(try configuration([a, b]))
        live.apply(.retire(ServerPlace(backend: web, server: b.name)))
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
        let reply = """
            1
            # be_name srv_id srv_name srv_addr srv_admin_state srv_uweight srv_fqdn srv_port
            web 1 a 10.9.9.9 0 7 - 80
            web 3 c 10.0.0.3 32 1 node.example 80
            web 4 hand 10.0.0.4 8 1 - 80

            """
        try live.observe(try ServersState(Array(reply.utf8)), of: [web])
        #expect(
            words(Planner.plan(from: live, to: try configuration([a, b, c]))) == [
                "add web/b at 10.0.0.1:80, weight 1", "move web/a to 10.0.0.1:80", "set the weight of web/a to 1",
                "put web/b in service", "drain and remove web/hand",
            ])
    }

    @Test("after the steps of a plan nothing is left to do")
    func converges() throws {
        var random = SystemRandomNumberGenerator()
        func servers() throws -> [Server] {
            try ["a", "b", "c", "d"].filter { _ in Bool.random(using: &random) }.map { name in
                try server(
                    name, "10.0.0.\(Int.random(in: 1...2))", port: .random(in: 80...81), weight: .random(in: 0...2),
                    isDisabled: .random())
            }
        }
        for _ in 0..<500 {
            let wanted = try configuration(try servers())
            var live = LiveState(try configuration(try servers()))
            if case .steps(let steps) = Planner.plan(from: live, to: wanted) { for step in steps { live.apply(step) } }
            for place in live.leaving { live.remove(place) }
            #expect(Planner.plan(from: live, to: wanted) == .nothing)
            #expect(live == LiveState(wanted))
        }
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
