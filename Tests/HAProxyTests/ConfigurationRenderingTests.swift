import Testing

@testable import HAProxy

@Suite struct ConfigurationRenderingTests {
    @Test("a full configuration is written as a person would")
    func golden() throws {
        #expect(try Configuration.full().rendered() == goldenText)
    }

    @Test("equal configurations give equal text")
    func deterministic() throws {
        #expect(try Configuration.full().rendered() == Configuration.full().rendered())
    }

    @Test("an empty configuration has the two sections that stand for the process, and no blank line too many")
    func empty() throws {
        #expect(try Configuration().rendered() == "global\n\ndefaults\n    log global\n")
    }

    @Test("times are whole seconds where they can be, sizes thousands")
    func units() throws {
        var backend = Backend(name: try ProxyName("b"), mode: .tcp)
        backend.stickTable = StickTable(size: try Count(1000), expiry: try Milliseconds(1500))
        var configuration = Configuration()
        configuration.defaults.logsGlobally = false
        configuration.backends = [backend]
        #expect(
            try configuration.rendered() == """
                global

                defaults

                backend b
                    mode tcp
                    balance roundrobin
                    stick-table type ip size 1000 expire 1500ms
                    stick on src

                """)
    }

    @Test("a text that slipped past the types is refused when it is written")
    func secondLock() {
        for text in ["a b", "a\nserver x 1.2.3.4:80", "a\0", "a#", "'a'", "é", ""] {
            #expect(throws: HAProxyError.self, "\(text)") { try write(text) }
        }
    }

    private func write(_ text: String) throws {
        var writer = ConfigurationWriter(capacity: 64)
        try writer.word(text)
    }

    @Test("ten thousand servers are written without delay")
    func large() throws {
        var backend = Backend(name: try ProxyName("b"), mode: .http)
        backend.servers = try (0..<10_000).map { number in
            Server(
                name: try ServerName("id-\(number)"), address: try Address("10.0.\(number / 256).\(number % 256)"),
                port: try Port(8080), check: ServerCheck(interval: try Milliseconds(30_000), rise: try Count(2)))
        }
        var configuration = Configuration()
        configuration.backends = [backend]
        let clock = ContinuousClock()
        var text = ""
        let time = try clock.measure { text = try configuration.rendered() }
        #expect(text.utf8.count { $0 == UInt8(ascii: "\n") } == 10_008)
        // A few milliseconds in a release build; this only notices something quadratic.
        #expect(time < .seconds(20))
    }
}

extension Configuration {
    /// Everything that a configuration can say.
    static func full() throws -> Configuration {
        var configuration = Configuration()
        configuration.header = [
            try Comment("Written by example for 10 servers."), try Comment(""), try Comment("Edits are overwritten."),
        ]
        configuration.global.logTargets = [
            try LogTarget("/dev/log local0"), try LogTarget("127.0.0.1:514 local1 notice"),
        ]
        configuration.global.user = try Word("haproxy")
        configuration.global.group = try Word("haproxy")
        configuration.global.isDaemon = true
        configuration.global.threads = try Count(2)
        configuration.global.maximumConnections = try Count(4000)
        configuration.global.hardStopAfter = try Milliseconds(300_000)
        configuration.global.firstChecksWithin = try Milliseconds(60_000)
        configuration.global.maximumReloads = try Count(20)
        configuration.global.statsSockets = [
            StatsSocket(
                path: try ConfigurationPath("/tmp/libra-golden.sock"), user: try Word("haproxy"),
                group: try Word("haproxy"), mode: 0o660),
            StatsSocket(
                path: try ConfigurationPath("/tmp/libra-golden-2.sock"), mode: nil, level: .operator,
                exposesListeners: true),
        ]
        configuration.global.statsTimeout = try Milliseconds(10_000)
        configuration.global.serverStateFile = try ConfigurationPath("/tmp/libra-golden.state")
        configuration.defaults.mode = .http
        configuration.defaults.timeouts = Timeouts(
            client: try Milliseconds(30_000), connect: try Milliseconds(2500), server: try Milliseconds(30_000))
        configuration.defaults.retries = try Count(3)
        configuration.frontends = [try webFrontend(), try mailFrontend()]
        configuration.backends = [try webBackend(), try mailBackend()]
        return configuration
    }

    private static func webFrontend() throws -> Frontend {
        var frontend = Frontend(
            name: try ProxyName("http-15-in"), mode: .http,
            binds: [
                Bind(.anyIPv4, port: try Port(18_080)), Bind(.anyIPv6, port: try Port(18_080), isIPv6Only: true),
                Bind(try Address("localhost"), port: try Port(18_081)),
            ], defaultBackend: try ProxyName("http-15-servers"))
        frontend.comment = try Comment("The shop's front, Größe 2")
        frontend.logFormat = .http
        frontend.forwardsClientAddress = true
        frontend.keepsIdleConnectionsWhenReplaced = true
        frontend.countsContinuously = true
        frontend.maximumConnections = try Count(2000)
        frontend.clientTimeout = try Milliseconds(45_000)
        return frontend
    }

    private static func mailFrontend() throws -> Frontend {
        var frontend = Frontend(
            name: try ProxyName("tcp-in"), mode: .tcp, binds: [Bind(try Address("::1"), port: try Port(18_025))],
            defaultBackend: try ProxyName("tcp-servers"))
        frontend.isDisabled = true
        frontend.logFormat = .tcp
        return frontend
    }

    private static func webBackend() throws -> Backend {
        var backend = Backend(name: try ProxyName("http-15-servers"), mode: .http)
        backend.forwardsClientAddress = true
        backend.cookie = CookiePersistence(name: try Word("SERVERID"), dynamicKey: try Word("s3cr3t"))
        backend.httpCheck = HTTPCheck(
            path: try RequestPath("/healthz?a=$b"), expectedStatus: try HTTPCheck.ExpectedStatus(200...299))
        backend.retries = try Count(2)
        backend.timeouts = Timeouts(
            connect: try Milliseconds(5000), server: try Milliseconds(60_000), queue: try Milliseconds(1000),
            check: try Milliseconds(10_000))
        backend.loadsServerState = true
        var first = Server(
            name: try ServerName("id-1"), address: try Address("10.0.0.1"), port: try Port(80),
            check: ServerCheck(
                interval: try Milliseconds(30_000), fastInterval: try Milliseconds(1000),
                downInterval: try Milliseconds(5000), rise: try Count(2), fall: try Count(3), port: try Port(81)))
        first.maximumConnections = try Count(100)
        var second = Server(
            name: try ServerName("id-2"), address: try Address("2001:db8::1"), port: try Port(8080),
            weight: try Weight(256), check: ServerCheck())
        second.isBackup = true
        second.isDisabled = true
        var third = Server(
            name: try ServerName("id-3"), address: try Address("node.invalid"), port: try Port(80),
            weight: try Weight(0))
        third.initialAddress = [.last, .libc, .none]
        backend.servers = [first, second, third]
        return backend
    }

    private static func mailBackend() throws -> Backend {
        var backend = Backend(name: try ProxyName("tcp-servers"), mode: .tcp, balance: .leastConnections)
        backend.comment = try Comment("Mail")
        backend.stickTable = StickTable(size: try Count(200 * 1024), expiry: try Milliseconds(1_800_000))
        backend.servers = [Server(name: try ServerName("server1"), address: .anyIPv4, port: try Port(25))]
        return backend
    }
}

private let goldenText = """
    # Written by example for 10 servers.
    #
    # Edits are overwritten.

    global
        log /dev/log local0
        log 127.0.0.1:514 local1 notice
        user haproxy
        group haproxy
        daemon
        nbthread 2
        maxconn 4000
        hard-stop-after 300s
        max-spread-checks 60s
        mworker-max-reloads 20
        stats socket /tmp/libra-golden.sock user haproxy group haproxy mode 660 level admin
        stats socket /tmp/libra-golden-2.sock level operator expose-fd listeners
        stats timeout 10s
        server-state-file /tmp/libra-golden.state

    defaults
        mode http
        log global
        retries 3
        timeout connect 2500ms
        timeout client 30s
        timeout server 30s

    # The shop's front, Größe 2
    frontend http-15-in
        mode http
        bind 0.0.0.0:18080
        bind [::]:18080 v6only
        bind localhost:18081
        option httplog
        option forwardfor
        option idle-close-on-response
        option contstats
        maxconn 2000
        timeout client 45s
        default_backend http-15-servers

    frontend tcp-in
        mode tcp
        bind [::1]:18025
        disabled
        option tcplog
        default_backend tcp-servers

    backend http-15-servers
        mode http
        balance roundrobin
        option forwardfor
        cookie SERVERID insert indirect nocache dynamic
        dynamic-cookie-key s3cr3t
        option httpchk GET '/healthz?a=$b'
        http-check expect status 200-299
        retries 2
        timeout connect 5s
        timeout server 60s
        timeout queue 1s
        timeout check 10s
        load-server-state-from-file global
        server id-1 10.0.0.1:80 weight 1 maxconn 100 check port 81 inter 30s fastinter 1s downinter 5s rise 2 fall 3
        server id-2 [2001:db8::1]:8080 weight 256 backup disabled check
        server id-3 node.invalid:80 weight 0 init-addr last,libc,none

    # Mail
    backend tcp-servers
        mode tcp
        balance leastconn
        stick-table type ip size 200k expire 1800s
        stick on src
        server server1 0.0.0.0:25 weight 1

    """
