import HAProxy
import SystemPackage
import TestServers
import Testing

@Suite struct HAProxyRuntimeTests {
    private let backend: ProxyName
    private let frontend: ProxyName
    private let one: ServerName
    private let two: ServerName

    init() throws {
        backend = try ProxyName("web")
        frontend = try ProxyName("web-in")
        one = try ServerName("one")
        two = try ServerName("two")
    }

    @Test("every command changes a live HAProxy, and what it says afterwards shows it")
    func commands() async throws {
        try await withHAProxyStand { stand in
            let node = try await HTTPNode.start("a", in: stand.folder)
            try await stand.start(
                try stand.configuration([
                    try stand.server("one", port: node.port, isChecked: true), try stand.server("two", port: node.port),
                ]))
            let runtime = stand.runtime

            try await runtime.perform(.setWeight(backend, one, try Weight(9)))
            #expect(try await row(runtime, "one").weight == 9)
            try await runtime.perform(try .setServerAddress(backend, two, try Address("127.0.0.2"), port: try Port(81)))
            #expect(try await row(runtime, "two").address == "127.0.0.2:81")
            try await runtime.perform(try .setServerAddress(backend, two, try Address("127.0.0.2"), port: try Port(81)))
            try await runtime.perform(try .setServerAddress(backend, two, try Address("::1")))
            #expect(try await row(runtime, "two").address == "[::1]:81")
            for (state, status) in [
                (RuntimeCommand.ServerAdminState.drain, "DRAIN"), (.maint, "MAINT"), (.ready, "no check"),
            ] {
                try await runtime.perform(.setServerState(backend, two, state))
                #expect(try await row(runtime, "two").status.text == status)
            }
            try await runtime.perform([.disableServer(backend, two), .enableServer(backend, two)])
            try await runtime.perform([.disableHealth(backend, one), .enableHealth(backend, one)])
            try await runtime.perform(
                try .setCheckAddress(backend, one, try Address("127.0.0.1"), port: try Port(node.port)))
            try await runtime.perform(.setCheckPort(backend, one, try Port(node.port)))
            try await eventually { try await row(runtime, "one").checkStatus == "L4OK" }
            try await runtime.perform(.setMaxconnServer(backend, one, try Count(10)))
            try await runtime.perform(.setMaxconnFrontend(frontend, try Count(10)))
            try await runtime.perform(.setMaxconnGlobal(try Count(100)))
            #expect(try await runtime.info()["Maxconn"] == "100")
            try await runtime.perform([.disableFrontend(frontend), .disableFrontend(frontend)])
            #expect(!accepts(port: stand.port))
            #expect(
                try await runtime.statistics(proxy: frontend, kinds: .frontends).frontend(frontend)?.status.isUp
                    == false)
            try await runtime.perform([.enableFrontend(frontend), .enableFrontend(frontend)])
            #expect(accepts(port: stand.port))
            let state = String(decoding: try await runtime.send(.showServersState(backend: backend)), as: UTF8.self)
            #expect(state.hasPrefix("1\n# be_id") && state.contains(" one ") && state.contains(" two "))
            #expect(try await runtime.send(try .verbatim("show errors")).isEmpty == false)
            await node.stop()
        }
    }

    @Test("a server added at run time takes traffic, keeps its clients, and can be removed")
    func addAndDelete() async throws {
        try await withHAProxyStand { stand in
            let a = try await HTTPNode.start("a", in: stand.folder)
            let b = try await HTTPNode.start("b", in: stand.folder)
            try await stand.start(try stand.configuration([try stand.server("one", port: a.port, isChecked: true)]))
            let runtime = stand.runtime
            try await runtime.perform([
                try .addServer(backend, try stand.server("two", port: b.port, isChecked: true)),
                .enableDynamicCookie(backend), .enableHealth(backend, two), .enableServer(backend, two),
                .setServerState(backend, one, .drain),
            ])
            try await eventually { try await row(runtime, "two").status.kind == .up }
            let jar = "\(stand.folder)/cookies"
            #expect(try await stand.get(["-c", jar]) == "b")
            #expect(readText(jar).contains("SERVERID"))
            try await runtime.perform(.setServerState(backend, one, .ready))
            for _ in 0..<6 { #expect(try await stand.get(["-b", jar]) == "b") }

            let refusal = try await #require(throws: HAProxyError.self) {
                try await runtime.perform(.deleteServer(backend, two))
            }
            #expect(refusal.code == .commandRefused)
            #expect(refusal.message.contains("Only servers in maintenance mode can be deleted."))
            try await runtime.perform(.disableServer(backend, two))
            try await eventually {
                try await runtime.perform(.deleteServer(backend, two))
                return true
            }
            #expect(try await runtime.statistics().servers(of: backend).map(\.server) == ["one"])
            #expect(try await stand.get() == "a")
            await a.stop()
            await b.stop()
        }
    }

    @Test("a refusal carries HAProxy's words, and stops a sequence there")
    func refusals() async throws {
        try await withHAProxyStand { stand in
            try await stand.start(try stand.configuration([try stand.server("one", port: 1)]))
            let unknown = try ServerName("nobody")
            let error = try await #require(throws: HAProxyError.self) {
                try await stand.runtime.perform([
                    .setWeight(backend, one, try Weight(5)), .setWeight(backend, unknown, try Weight(5)),
                    .setWeight(backend, one, try Weight(6)),
                ])
            }
            #expect(error.code == .commandRefused)
            #expect(error.message == "HAProxy refuses 'set weight web/nobody 5': No such server.")
            #expect(try await row(stand.runtime, "one").weight == 5)
            let missing = try await #require(throws: HAProxyError.self) {
                try await stand.runtime.statistics(proxy: try ProxyName("nothing"))
            }
            #expect(missing.code == .unreadableReply && missing.message.contains("No such proxy."))
        }
    }

    @Test("what keeps a client from HAProxy is told apart")
    func unreachable() async throws {
        try await withTemporaryFolder { folder in
            let path = FilePath("\(folder)/x.sock")
            #expect(try await code(RuntimeClient(socket: path, access: .direct)) == .notRunning)
            #expect(try await code(RuntimeClient(socket: path, access: .auto)) == .notRunning)
            #expect(try await code(RuntimeClient(socket: path, access: .socat)) == .notRunning)
            let long = FilePath("\(folder)/" + String(repeating: "x", count: 100))
            #expect(try await code(RuntimeClient(socket: long, access: .direct)) == .invalidValue)

            let silence = try UnixSocketStub(at: path.string, .silence)
            let clock = ContinuousClock()
            let time = await clock.measure {
                let client = RuntimeClient(socket: path, access: .direct, timeout: .milliseconds(100))
                await #expect(throws: HAProxyError.self) { try await client.info() }
            }
            #expect(time > .milliseconds(90) && time < .seconds(5))
            silence.close()

            for behaviour in [UnixSocketStub.Behaviour.hangUp, .reply(""), .reply("Name: HAP")] {
                let stub = try UnixSocketStub(at: path.string, behaviour)
                #expect(try await code(RuntimeClient(socket: path, access: .direct)) == .connectionLost)
                stub.close()
            }
            let short = try UnixSocketStub(at: path.string, .reply("# pxname,svname,status\na,b,UP\n"))
            let error = try await #require(throws: HAProxyError.self) {
                try await RuntimeClient(socket: path, access: .direct).statistics()
            }
            #expect(error.code == .connectionLost)
            short.close()
            let flood = try UnixSocketStub(at: path.string, .reply(String(repeating: "a", count: 5000)))
            #expect(
                try await code(RuntimeClient(socket: path, access: .direct, maximumReplySize: 4000)) == .replyTooLarge)
            flood.close()
        }
    }

    @Test("a HAProxy that was stopped in its tracks runs into the time limit")
    func frozen() async throws {
        try await withHAProxyStand { stand in
            try await stand.start(try stand.configuration())
            let worker = try await stand.runtime.info().processID
            #expect(try await run("kill", ["-STOP", "\(worker)"]).exitCode == 0)
            let client = RuntimeClient(
                socket: FilePath("\(stand.folder)/haproxy.sock"), access: .direct, timeout: .milliseconds(200))
            #expect(try await code(client) == .timedOut)
            #expect(try await run("kill", ["-CONT", "\(worker)"]).exitCode == 0)
            #expect(try await stand.runtime.info().processID == worker)
        }
    }

    @Test("through sudo and socat it is the same, and replies of several megabytes are whole")
    func socat() async throws {
        try await withHAProxyStand { stand in
            let servers = try (0..<5000).map { try stand.server("s\($0)", port: $0 + 1) }
            try await stand.start(try stand.configuration(servers))
            let socat = RuntimeClient(socket: FilePath("\(stand.folder)/haproxy.sock"), access: .socat)
            #expect(try await socat.info().processID == stand.runtime.info().processID)
            #expect(try await socat.statistics().servers(of: backend).count == 5000)
            try await socat.perform(.setWeight(backend, try ServerName("s1"), try Weight(77)))
            #expect(try await row(stand.runtime, "s1").weight == 77)
            let error = try await #require(throws: HAProxyError.self) {
                try await socat.perform(.setWeight(backend, try ServerName("none"), try Weight(77)))
            }
            #expect(error.code == .commandRefused)
        }
    }

    private func row(_ runtime: RuntimeClient, _ server: String) async throws -> Statistics.Row {
        let rows = try await runtime.statistics(proxy: backend, kinds: .servers).rows
        return try #require(rows.first { $0.server == server })
    }

    private func code(_ client: RuntimeClient) async throws -> HAProxyError.Code {
        try await #require(throws: HAProxyError.self) { try await client.info() }.code
    }
}
