import HAProxy
import LoadBalancing
import Testing

@testable import LoadBalancingHAProxy

@Suite struct ConfigurationBuilderTests {
    private func text(_ balancers: [LoadBalancer], phase: HostState.Phase = .active) throws -> String {
        var options = HAProxyDriverOptions(
            service: .process, stateFolder: "/var/lib/libra", log: try LogTarget("/dev/log local0"),
            drainTimeout: try Milliseconds(30_000))
        options.socketAccess = .direct
        let builder = ConfigurationBuilder(global: try options.makeGlobal())
        return try builder.configuration(for: HostState(phase: phase, balancers: balancers)).rendered()
    }

    private func node(_ id: NodeID, _ address: NodeAddress = "10.0.0.1", _ condition: Condition = .enabled) -> Node {
        Node(key: .id(id), address: address, port: 80, condition: condition)
    }

    private func section(_ name: String, of text: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let start = lines.firstIndex(of: name) else { return [] }
        return lines[(start + 1)...].prefix { !$0.isEmpty }.map { String($0.drop { $0 == " " }) }
    }

    @Test("nodes' cookies follow from the operator's secret too, which nothing else shows")
    func cookieKey() throws {
        let secret = "0123456789abcdef"
        let key = try #require(CookieKey(secret))
        let balancer = try LoadBalancer(id: "15", protocol: .http, port: 80, nodes: [node("1")])
        let builder = ConfigurationBuilder(global: Global(), cookieKey: key)
        let text = try builder.configuration(for: HostState(phase: .active, balancers: [balancer])).rendered()
        #expect(text.contains("dynamic-cookie-key http-15-servers:\(secret)\n"))
        #expect(!key.masked(in: text).contains(secret))
        #expect(!"\(key) \(String(reflecting: key)) \(Mirror(reflecting: key).children.map(\.value))".contains(secret))
        var dumped = ""
        dump(builder, to: &dumped)
        #expect(!dumped.contains(secret))
        let bad = ["", "0123456789abcde", String(repeating: "a", count: 129), "0123456789abcde\n", "0123456789 abcdef"]
        for text in bad {
            #expect(CookieKey(text) == nil)
        }
    }

    @Test("an HTTP balancer keeps clients by cookie, says who the client is, and checks as its monitor says")
    func http() throws {
        let monitor = Monitor(kind: .http, delay: 30, timeout: 10, attempts: 2, path: "/healthz")
        let balancer = try LoadBalancer(
            id: "15", protocol: .http, port: 80, algorithm: .leastConnections, monitor: monitor, nodes: [node("1001")])
        let text = try text([balancer])
        #expect(text.hasPrefix("# Written by libra_worker, which overwrites it"))
        let frontend = section("frontend http-15-in", of: text)
        for line in [
            "mode http", "bind 0.0.0.0:80", "option httplog", "option forwardfor", "option idle-close-on-response",
            "option contstats", "timeout client 30s",
        ] {
            #expect(frontend.contains(line))
        }
        #expect(frontend.contains("default_backend http-15-servers"))
        let backend = section("backend http-15-servers", of: text)
        for line in [
            "mode http", "balance leastconn", "cookie SERVERID insert indirect nocache dynamic",
            "option httpchk GET /healthz", "timeout check 10s", "retries 3",
        ] {
            #expect(backend.contains(line), "\(line) is not in \(backend)")
        }
        #expect(
            backend.contains { $0.hasPrefix("server id-1001 10.0.0.1:80 ") && $0.contains("inter 30s rise 2 fall 2") })
        #expect(!text.contains("stick-table"))
    }

    @Test("a TCP balancer keeps clients by address, a Galera balancer by nothing, and their names differ")
    func tcp() throws {
        let tcp = try LoadBalancer(protocol: .tcp, port: 3306, nodes: [node("1")])
        let galera = try LoadBalancer(protocol: .galera, port: 3307, nodes: [node("1")])
        let text = try text([tcp, galera])
        #expect(section("backend tcp-servers", of: text).contains { $0.hasPrefix("stick-table type ip size ") })
        #expect(section("backend tcp-servers", of: text).contains("stick on src"))
        #expect(section("frontend tcp-in", of: text).contains("option tcplog"))
        #expect(section("frontend tcp-in", of: text).contains("option contstats"))
        #expect(!section("backend galera-servers", of: text).joined().contains("stick"))
        #expect(section("frontend galera-in", of: text).contains("bind 0.0.0.0:3307"))
    }

    @Test("conditions, backups, host names and nodes without identifiers are written as HAProxy has words for them")
    func nodes() throws {
        let balancer = try LoadBalancer(
            protocol: .http, port: 80,
            nodes: [
                node("a", "10.0.0.1", .disabled), node("b", "10.0.0.2", .draining), node("c", "web.example.org"),
                Node(key: .id("d"), address: "2001:db8::1", port: 8080, weight: 256, isBackup: true),
            ])
        let servers = section("backend http-servers", of: try text([balancer])).filter { $0.hasPrefix("server ") }
        #expect(servers[0].contains(" disabled"))
        #expect(servers[1].contains(" weight 0") && !servers[1].contains("disabled"))
        #expect(servers[2].contains("init-addr last,libc,none"))
        #expect(servers[3].contains("[2001:db8::1]:8080") && servers[3].contains("weight 256"))
        #expect(servers[3].contains(" backup"))
        let positions = try LoadBalancer(
            protocol: .http, port: 80, nodes: [Node(key: .position(1), address: "10.0.0.1", port: 80)])
        #expect(try text([positions]).contains("\n    server server1 10.0.0.1:80"))
    }

    @Test("while suspended no frontend listens, and everything else is the same")
    func suspended() throws {
        let balancer = try LoadBalancer(protocol: .http, port: 80, nodes: [node("1")])
        let active = try text([balancer])
        let suspended = try text([balancer], phase: .suspended)
        #expect(section("frontend http-in", of: suspended).contains("disabled"))
        let lines = { (text: String) in text.split(separator: "\n").filter { $0 != "    disabled" } }
        #expect(lines(suspended) == lines(active))
    }

    @Test("'::' means every address of both kinds on every host, and clients are told apart by their IPv6 addresses")
    func dualStack() throws {
        let any = try LoadBalancer(protocol: .tcp, address: "::", port: 3306, nodes: [node("1")])
        let one = try LoadBalancer(protocol: .galera, address: "::1", port: 3306, nodes: [node("1")])
        let text = try text([any, one])
        #expect(section("frontend tcp-in", of: text).contains { $0.hasPrefix("bind ") && $0.hasSuffix(":3306 v4v6") })
        #expect(!section("frontend galera-in", of: text).joined().contains("v4v6"))
        #expect(section("backend tcp-servers", of: text).contains { $0.hasPrefix("stick-table type ipv6 ") })
    }

    @Test("the same state gives the same text")
    func deterministic() throws {
        let balancer = try LoadBalancer(protocol: .http, port: 80, nodes: [node("1"), node("2")])
        #expect(try text([balancer]) == text([balancer]))
    }
}
