import Glibc
import HAProxy
import SystemPackage
import TestServers
import Testing

/// The machine's own HAProxy, through `sudo` and `service`, one test at a time.
@Suite(.serialized) struct HAProxySystemServiceTests {
    private let socket = "/var/run/haproxy-stats.socket"

    @Test("the service starts, reloads and stops, and its configuration goes and comes back")
    func life() async throws {
        try await withService { service, folder in
            let a = try await HTTPNode.start("a", in: folder)
            let b = try await HTTPNode.start("b", in: folder)
            let port = try freePort()
            try await service.removeConfiguration()
            #expect(try await service.readConfiguration() == nil)
            let nothing = try await #require(throws: HAProxyError.self) { try await service.start() }
            #expect(nothing.code == .startFailed && nothing.message.contains("/etc/haproxy/haproxy.cfg"))
            #expect(try await !service.isRunning())

            let first = try configuration(port: port, node: a.port).rendered()
            try await service.stage(first)
            try await service.check(configurationAt: service.stagedFile)
            try await service.backUp()
            try await service.installStaged()
            try await service.start()
            #expect(try await service.isRunning())
            #expect(try await get(port) == "a\n")
            let runtime = RuntimeClient(socket: FilePath(socket))
            let before = try await runtime.info().processID

            try await service.backUp()
            try await service.install(try configuration(port: port, node: b.port).rendered())
            try await service.reload()
            let after = try await runtime.waitForProcess(otherThan: before, within: .seconds(20))
            #expect(after.processID != before)
            // The process that was replaced stops listening when it is told to, which nobody waits for.
            try await eventually("the other node") { try await get(port) == "b\n" }
            try await service.restore()
            #expect(try await service.readConfiguration() == Array(first.utf8))
            try await service.reload()
            let processID = try await runtime.waitForProcess(otherThan: after.processID, within: .seconds(20)).processID
            try await eventually("the first node") { try await get(port) == "a\n" }
            try await service.stop()
            #expect(!isAlive(processID))
            #expect(try await !service.isRunning())
            try await service.stop()
            let gone = try await #require(throws: HAProxyError.self) { try await service.reload() }
            #expect(gone.code == .notRunning)
            await a.stop()
            await b.stop()
        }
    }

    @Test("a reload or start that fails says why in HAProxy's words, and a running HAProxy goes on")
    func failures() async throws {
        try await withService { service, folder in
            let node = try await HTTPNode.start("a", in: folder)
            let port = try freePort()
            let good = try configuration(port: port, node: node.port)
            try await service.install(try good.rendered())
            try await service.start()

            var taken = good
            taken.frontends[0].binds.append(Bind(try Address("127.0.0.1"), port: try Port(node.port)))
            try await service.install(try taken.rendered())
            let inUse = try await #require(throws: HAProxyError.self) { try await service.reload() }
            #expect(inUse.code == .reloadFailed)
            #expect(inUse.message.contains("cannot bind socket (Address already in use) for [127.0.0.1:\(node.port)]"))
            #expect(try await service.isRunning())
            #expect(try await get(port) == "a\n")

            try await service.install(try good.rendered() + "nonsense\n")
            let invalid = try await #require(throws: HAProxyError.self) { try await service.reload() }
            #expect(invalid.code == .reloadFailed && invalid.message.contains("unknown keyword 'nonsense'"))
            #expect(try await get(port) == "a\n")
            try await service.stop()

            let start = try await #require(throws: HAProxyError.self) { try await service.start() }
            #expect(start.code == .startFailed && start.message.contains("unknown keyword 'nonsense'"))
            #expect(try await !service.isRunning())
            await node.stop()
        }
    }

    @Test("a missing staging folder is named, with the way to make it")
    func staging() async throws {
        let service = SystemService(paths: SystemService.Paths(staged: "/nonexistent/staging/haproxy.cfg"))
        let error = try await #require(throws: HAProxyError.self) { try await service.stage("") }
        #expect(error.code == .inputOutput)
        #expect(error.message.contains("install -d -m 1770 -o root -g GROUP /nonexistent/staging"))
    }

    @Test("after kill -9 the service is known not to run, and starts again")
    func killed() async throws {
        try await withService { service, folder in
            try await service.install(try configuration(port: try freePort(), node: 1).rendered())
            try await service.start()
            let runtime = RuntimeClient(socket: FilePath(socket))
            let processID = try await runtime.info().processID
            #expect(try await run("kill", ["-9", "\(processID)"]).exitCode == 0)
            try await eventually { try await !service.isRunning() }
            let error = try await #require(throws: HAProxyError.self) { try await runtime.info() }
            #expect(error.code == .notRunning)
            try await service.start()
            #expect(try await service.isRunning())
        }
    }

    @Test("a user whom sudo allows exactly these commands can do it all, and nothing else")
    func sudoers() async throws {
        try await withService { service, folder in
            try await withSudoers(service.sudoCommands + [.socat(to: FilePath(socket))]) {
                for command in service.sudoCommands + [.socat(to: FilePath(socket))] {
                    let probe = try await run("sudo", ["-u", "haproxy", "sudo"] + command.probeArguments)
                    #expect(probe.exitCode == 0, "\(command): \(probe.output)")
                }
                for command in [
                    SudoCommand.remove("/etc/passwd"), .socat(to: "/run/other.sock"),
                    .copy("/etc/shadow", to: "/tmp/x"),
                ] {
                    let probe = try await run("sudo", ["-u", "haproxy", "sudo"] + command.probeArguments)
                    #expect(probe.exitCode == 1, "\(command)")
                }
                try await changeAsUser(service, folder)
            }
        }
    }

    /// What a service control does, each command run by the user `haproxy`.
    private func changeAsUser(_ service: SystemService, _ folder: String) async throws {
        let port = try freePort()
        var configuration = try configuration(port: port, node: 1)
        configuration.global.statsSockets[0].user = nil
        configuration.global.statsSockets[0].mode = 0o600
        for text in [try configuration.rendered(), try configuration.rendered() + "# second\n"] {
            let source = "\(folder)/new.cfg"
            try writeText(text, to: source)
            let staged = try await run(
                "sudo", ["-u", "haproxy", "install", "-m", "600", source, service.stagedFile.string])
            #expect(staged.exitCode == 0, "\(staged.output)")
            let paths = service.paths
            for command in [
                SudoCommand.copy(paths.configuration, to: paths.backup), .move(paths.staged, to: paths.configuration),
            ] {
                let outcome = try await run("sudo", ["-u", "haproxy", "sudo"] + command.sudoArguments)
                #expect(outcome.exitCode == 0, "\(command): \(outcome.output)")
            }
        }
        let restore = SudoCommand.copy(service.paths.backup, to: service.paths.configuration)
        #expect(try await run("sudo", ["-u", "haproxy", "sudo"] + restore.sudoArguments).exitCode == 0)
        try writeText(try configuration.rendered(), to: "\(folder)/first.cfg")
        let same = try await run(
            "sudo", ["-u", "haproxy", "cmp", service.configurationFile.string, "\(folder)/first.cfg"])
        #expect(same.exitCode == 0, "who wrote it can read what came back: \(same.output)")

        let start = SudoCommand.service(.start)
        #expect(try await run("sudo", ["-u", "haproxy", "sudo"] + start.sudoArguments).exitCode == 0)
        try writeText("show info\n", to: "\(folder)/command")
        let info = try await run(
            "sudo", ["-u", "haproxy", "sudo"] + SudoCommand.socat(to: FilePath(socket)).sudoArguments,
            input: "\(folder)/command")
        #expect(info.output.contains("Pid: "))
        #expect(try await run("sudo", ["-u", "haproxy", "cat", socket]).exitCode != 0)
        try await service.stop()
    }

    private func withService(_ body: (SystemService, String) async throws -> Void) async throws {
        try await withSystemHAProxy {
            try await withTemporaryFolder { folder in
                let staging = "\(folder)/staging"
                _ = try await run("install", ["-d", "-m", "1770", "-o", "root", "-g", "haproxy", staging])
                let paths = SystemService.Paths(staged: FilePath("\(staging)/haproxy.cfg"))
                try await body(SystemService(paths: paths), folder)
            }
        }
    }

    private func withSudoers(_ commands: [SudoCommand], _ body: () async throws -> Void) async throws {
        let file = "/etc/sudoers.d/libra-test"
        let list = commands.map(\.sudoersText).joined(separator: ", ")
        try writeText("haproxy ALL = (root) NOPASSWD: \(list)\n", to: file, mode: 0o440)
        defer { unlink(file) }
        let check = try await run("visudo", ["-c", "-f", file])
        #expect(check.exitCode == 0, "\(check.output)")
        try await body()
    }

    private func get(_ port: Int) async throws -> String {
        try await run("curl", ["-s", "-m", "5", "http://127.0.0.1:\(port)/"]).output
    }

    private func configuration(port: Int, node: Int) throws -> Configuration {
        var configuration = Configuration()
        configuration.global.user = try Word("haproxy")
        configuration.global.group = try Word("haproxy")
        configuration.global.statsSockets = [
            StatsSocket(path: try ConfigurationPath(socket), user: try Word("haproxy"), mode: 0o660)
        ]
        configuration.global.hardStopAfter = try Milliseconds(5000)
        configuration.defaults.logsGlobally = false
        configuration.defaults.timeouts = Timeouts(
            client: try Milliseconds(5000), connect: try Milliseconds(1000), server: try Milliseconds(5000))
        configuration.frontends = [
            Frontend(
                name: try ProxyName("http-in"), mode: .http,
                binds: [Bind(try Address("127.0.0.1"), port: try Port(port))],
                defaultBackend: try ProxyName("http-servers"))
        ]
        configuration.backends = [
            Backend(
                name: try ProxyName("http-servers"), mode: .http,
                servers: [
                    Server(name: try ServerName("id-1"), address: try Address("127.0.0.1"), port: try Port(node))
                ])
        ]
        return configuration
    }
}
