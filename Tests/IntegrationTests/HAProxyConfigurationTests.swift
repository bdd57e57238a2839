import HAProxy
import SystemPackage
import TestServers
import Testing

@Suite struct HAProxyConfigurationTests {
    @Test("HAProxy accepts a configuration with everything that the model can say")
    func everything() async throws {
        try await withTemporaryFolder { folder in
            let service = ProcessService(folder: FilePath(folder))
            let file = try await service.stage(try everything(in: folder).rendered())
            try await service.check(configurationAt: file)
        }
    }

    @Test("HAProxy refuses what it cannot take, and its reason is in the error")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            let service = ProcessService(folder: FilePath(folder))
            let good = try everything(in: folder).rendered()
            let file = try await service.stage(good + "    unheard-of keyword\n")
            let error = try await #require(throws: HAProxyError.self) { try await service.check(configurationAt: file) }
            #expect(error.code == .invalidConfiguration)
            #expect(error.message.contains("unknown keyword 'unheard-of'"))
            #expect(!error.message.contains("NOTICE"))

            let missing = try await #require(throws: HAProxyError.self) {
                try await service.check(configurationAt: "/nonexistent/haproxy.cfg")
            }
            #expect(missing.code == .invalidConfiguration)
            #expect(missing.message.contains("/nonexistent/haproxy.cfg"))
        }
    }

    @Test("the version is that of the package, and a missing HAProxy is said to be missing")
    func version() async throws {
        let version = try await ProcessService(folder: "/tmp").version()
        let package = try await run("dpkg-query", ["-W", "-f", "${Version}", "haproxy"]).output
        #expect(version.release == package)
        #expect(package.hasPrefix(version.branch + "."))
        let error = try await #require(throws: HAProxyError.self) {
            try await ProcessService(folder: "/tmp", executable: "/nonexistent/haproxy").version()
        }
        #expect(error.code == .notInstalled)
    }

    @Test("a full disk is reported with the path, and leaves no half a file")
    func fullDisk() async throws {
        try await withTemporaryFolder { folder in
            let mounted = try await run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).exitCode
            #expect(mounted == 0)
            do {
                try await checkFullDisk(folder)
            } catch {
                Issue.record(error)
            }
            let unmounted = try await run("umount", [folder]).exitCode
            #expect(unmounted == 0)
        }
    }

    private func checkFullDisk(_ folder: String) async throws {
        let service = ProcessService(folder: FilePath(folder))
        try await service.install("small\n")
        let large = String(repeating: "# a line of comment\n", count: 10_000)
        let error = try await #require(throws: HAProxyError.self) { try await service.install(large) }
        #expect(error.code == .inputOutput)
        #expect(error.message.contains("No space left on device") && error.message.contains(folder))
        #expect(try await service.readConfiguration() == Array("small\n".utf8))
        #expect(try await run("ls", [folder]).output == "haproxy.cfg\n")
    }

    @Test("files are private, a link in the way is not followed, and what is backed up can be restored")
    func files() async throws {
        try await withTemporaryFolder { folder in
            let service = ProcessService(folder: FilePath(folder))
            #expect(try await service.readConfiguration() == nil)
            try writeText("precious", to: "\(folder)/victim")
            #expect(try await run("ln", ["-s", "\(folder)/victim", service.stagedFile.string]).exitCode == 0)
            try await service.install("one\n")
            #expect(readText("\(folder)/victim") == "precious")
            let (_, kind) = try await run(
                "stat", ["-c", "%a %F", "\(folder)/haproxy.cfg"], environment: ["LC_ALL": "C"])
            #expect(kind == "600 regular file\n")

            try await service.backUp()
            try await service.install("two\n")
            try await service.restore()
            #expect(try await service.readConfiguration() == Array("one\n".utf8))
            try await service.removeConfiguration()
            #expect(try await service.readConfiguration() == nil)
            try await service.install("three\n")
            try await service.restore()
            #expect(try await service.readConfiguration() == nil, "without a backup there was no configuration")
            try await service.stage("four\n")
            try await service.discardStaged()
            try await service.discardStaged()
            #expect(try await run("ls", [folder]).output == "victim\n")
        }
    }

    @Test("a bind that another program has is noticed beforehand")
    func availability() async throws {
        let address = try Address("127.0.0.1")
        let relay = try TCPRelay(to: 1)
        defer { relay.close() }
        let error = try #require(throws: HAProxyError.self) {
            try Bind(address, port: try Port(relay.port)).checkAvailability()
        }
        #expect(error.code == .addressUnavailable)
        #expect(error.message == "port \(relay.port) of address 127.0.0.1 is in use by another program")
        #expect(throws: HAProxyError.self) { try Bind(.anyIPv4, port: try Port(relay.port)).checkAvailability() }
        #expect(throws: HAProxyError.self) { try Bind(.anyIPv6, port: try Port(relay.port)).checkAvailability() }
        try Bind(.anyIPv6, port: try Port(relay.port), isIPv6Only: true).checkAvailability()
        try Bind(address, port: try Port(try freePort())).checkAvailability()
        let elsewhere = try #require(throws: HAProxyError.self) {
            try Bind(try Address("192.0.2.1"), port: try Port(80)).checkAvailability()
        }
        #expect(elsewhere.message.contains("none of this host's"))
    }

    private func everything(in folder: String) throws -> Configuration {
        var configuration = Configuration()
        configuration.header = [try Comment("Größe"), try Comment("")]
        configuration.global.logTargets = [
            try LogTarget("/dev/log local0"), try LogTarget("127.0.0.1:514 local1 notice"),
        ]
        configuration.global.user = try Word("haproxy")
        configuration.global.group = try Word("haproxy")
        configuration.global.isDaemon = true
        configuration.global.threads = try Count(1)
        configuration.global.maximumConnections = try Count(4000)
        configuration.global.hardStopAfter = try Milliseconds(300_000)
        configuration.global.firstChecksWithin = try Milliseconds(60_000)
        configuration.global.maximumReloads = try Count(20)
        configuration.global.statsSockets = [
            StatsSocket(
                path: try ConfigurationPath("\(folder)/a.sock"), user: try Word("haproxy"), group: try Word("haproxy"),
                mode: 0o660),
            StatsSocket(
                path: try ConfigurationPath("\(folder)/b.sock"), mode: nil, level: .user, exposesListeners: true),
        ]
        configuration.global.statsTimeout = try Milliseconds(10_500)
        configuration.global.serverStateFile = try ConfigurationPath("\(folder)/state")
        configuration.defaults.mode = .http
        configuration.defaults.timeouts = Timeouts(
            client: try Milliseconds(30_000), connect: try Milliseconds(2500), server: try Milliseconds(30_000))
        configuration.defaults.retries = try Count(3)
        configuration.frontends = [try webFrontend(), try tcpFrontend()]
        configuration.backends = [try webBackend(), try plainBackend(), try tcpBackend()]
        return configuration
    }

    private func webFrontend() throws -> Frontend {
        var frontend = Frontend(
            name: try ProxyName("http-15-in"), mode: .http,
            binds: [
                Bind(.anyIPv4, port: try Port(try freePort())),
                Bind(.anyIPv6, port: try Port(try freePort()), isIPv6Only: true),
                Bind(try Address("localhost"), port: try Port(try freePort())),
            ], defaultBackend: try ProxyName("http-15-servers"))
        frontend.comment = try Comment("frontend x")
        frontend.logFormat = .http
        frontend.forwardsClientAddress = true
        frontend.keepsIdleConnectionsWhenReplaced = true
        frontend.maximumConnections = try Count(2000)
        frontend.clientTimeout = try Milliseconds(45_000)
        return frontend
    }

    private func tcpFrontend() throws -> Frontend {
        var frontend = Frontend(
            name: try ProxyName("tcp-in"), mode: .tcp,
            binds: [Bind(try Address("::1"), port: try Port(try freePort()))],
            defaultBackend: try ProxyName("tcp-servers"))
        frontend.isDisabled = true
        frontend.logFormat = .tcp
        return frontend
    }

    private func webBackend() throws -> Backend {
        var backend = Backend(name: try ProxyName("http-15-servers"), mode: .http)
        backend.forwardsClientAddress = true
        backend.cookie = CookiePersistence(
            name: try Word("SERVERID"), dynamicKey: try Word("s3cr3t-!%&()*+,./:;<=>?@[]^_`|~"))
        backend.httpCheck = HTTPCheck(
            method: .head, path: try RequestPath("/a-._~!$&()*+,;=:@/b?c=%20"),
            expectedStatus: try HTTPCheck.ExpectedStatus(200...299))
        backend.retries = try Count(0)
        backend.timeouts = Timeouts(
            connect: try Milliseconds(5000), server: try Milliseconds(60_000), queue: try Milliseconds(1000),
            check: try Milliseconds(10_001))
        backend.loadsServerState = true
        var first = Server(
            name: try ServerName("id-1"), address: try Address("10.0.0.1"), port: try Port(80),
            check: ServerCheck(
                interval: try Milliseconds(30_000), fastInterval: try Milliseconds(1000),
                downInterval: try Milliseconds(Int(Int32.max)), rise: try Count(2), fall: try Count(3),
                port: try Port(81)))
        first.maximumConnections = try Count(100)
        var second = Server(
            name: try ServerName("-._:x"), address: try Address("::ffff:192.0.2.1"), port: try Port(65_535),
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

    private func plainBackend() throws -> Backend {
        var backend = Backend(name: try ProxyName("static-cookies"), mode: .http)
        backend.cookie = CookiePersistence(name: try Word("SERVERID"))
        backend.httpCheck = HTTPCheck(
            method: .options, path: try RequestPath("/"), expectedStatus: try HTTPCheck.ExpectedStatus(204...204))
        var server = Server(name: try ServerName("s"), address: try Address("2001:db8::1"), port: try Port(1))
        server.cookieValue = try Word("abc")
        backend.servers = [server]
        return backend
    }

    private func tcpBackend() throws -> Backend {
        var backend = Backend(name: try ProxyName("tcp-servers"), mode: .tcp, balance: .leastConnections)
        backend.stickTable = StickTable(key: .ipv6, size: try Count(200 * 1024), expiry: try Milliseconds(1_800_000))
        backend.servers = [
            Server(name: try ServerName("server1"), address: try Address("localhost"), port: try Port(25))
        ]
        return backend
    }
}
