import Gearman
import Glibc
import JSON
import LoadBalancing
import Testing
import TestServers

extension EndToEnd {
    /// The worker as it runs on a host of the fleet: a daemon as `haproxy`, HAProxy as a service, root through sudo.
    @Suite(
        "A worker with HAProxy as the system's service", .serialized,
        .enabled(if: geteuid() == 0, "needs root, for sudo and /etc"))
    struct SystemServiceTests {
        @Test("does every action through sudo, and tells what sudo refuses", arguments: ["socat", "auto", "direct"])
        func everyAction(access: String) async throws {
            try await withHost(socketAccess: access) { host in
                let reply = try await host.send(host.update())
                #expect(reply.isPass, "\(reply) \(host.log)")
                #expect(try await ownership("/etc/haproxy/haproxy.cfg").hasPrefix("haproxy:"))
                try await eventually("a request through the balancer") {
                    await requestHTTP(port: host.front)?.status == 200
                }
                // Only root can open the socket when it is reached through socat.
                let owner = access == "socat" ? "root" : "haproxy"
                #expect(try await ownership("/run/haproxy-stats.socket").hasPrefix("\(owner):"))
                #expect(try await host.ask("PING").isPass)
                #expect(try await host.ask("STATS")["nodes"]?.array?.count == 2)

                let diagnosis = try await host.ask("DIAGNOSTICS")
                let checks = try #require(diagnosis["checks"]?.array)
                for check in checks { #expect(check["status"]?.string == "PASS", "\(check)") }
                #expect("\(diagnosis)".contains("service haproxy reload"), "\(diagnosis)")

                // What changes nothing touches nothing.
                let file = changeTime(of: "/etc/haproxy/haproxy.cfg")
                let process = readText("/run/haproxy.pid")
                #expect(try await host.send(host.update()).isPass)
                #expect(changeTime(of: "/etc/haproxy/haproxy.cfg") == file)
                #expect(readText("/run/haproxy.pid") == process)

                // A port that is in use: HAProxy refuses, and everything is as it was.
                let text = readText("/etc/haproxy/haproxy.cfg")
                let refused = try await host.send(host.update(["port": .number(host.server.port)]))
                #expect(refused.failure?.contains("\(host.server.port)") == true, "\(refused)")
                #expect(readText("/etc/haproxy/haproxy.cfg") == text)
                #expect(await requestHTTP(port: host.front)?.status == 200)
                #expect(try await host.ask("STATS").isPass)

                #expect(try await host.ask("SUSPEND").isPass)
                try await eventually("refused connections") { await requestHTTP(port: host.front) == nil }
                #expect(try await host.ask("ENABLE").isPass)
                #expect(await requestHTTP(port: host.front)?.status == 200)

                try await host.withoutSudo {
                    let reply = try await host.send(host.update(["algorithm": "LEAST_CONNECTIONS"]))
                    #expect(reply.failure?.contains("sudo") == true, "\(reply)")
                    #expect(await requestHTTP(port: host.front)?.status == 200)
                    #expect(readText("/etc/haproxy/haproxy.cfg") == text)
                    let stats = try await host.ask("STATS")
                    if access == "socat" {
                        #expect(stats.failure?.contains("sudo") == true, "\(stats)")
                    } else {
                        #expect(stats.isPass, "\(stats)")
                    }
                    let checks = try await host.ask("DIAGNOSTICS")["checks"]?.array ?? []
                    #expect(checks.contains { "\($0)".contains("sudo") && $0["status"]?.string == "FAIL" }, "\(checks)")
                }
                let after = try await host.send(host.update(["algorithm": "LEAST_CONNECTIONS"]))
                #expect(after.isPass, "\(after)")
                #expect(readText("/etc/haproxy/haproxy.cfg").contains("leastconn"))

                #expect(try await host.ask("DELETE").isPass)
                #expect(!exists("/etc/haproxy/haproxy.cfg"))
                #expect(!exists("/etc/haproxy/haproxy.cfg.libra-backup"))
                #expect(await requestHTTP(port: host.front) == nil)
                #expect(livingProcess(in: "/run/haproxy.pid") == nil)
                #expect(try await host.ask("STATS")["status"]?.string == "DELETED")
                #expect(try await host.send(host.update()).isPass)
                #expect(await requestHTTP(port: host.front)?.status == 200)
            }
        }

        @Test("leaves traffic alone when it ends or is killed, and takes HAProxy over when it starts again")
        func adoption() async throws {
            try await withHost(socketAccess: "auto") { host in
                #expect(try await host.send(host.update()).isPass)
                let process = try #require(livingProcess(in: "/run/haproxy.pid"))
                for number in [SIGTERM, SIGKILL] {
                    let worker = try #require(host.pid)
                    kill(worker, number)
                    try await eventually("the end of the worker") { !isAlive(worker) }
                    #expect(await requestHTTP(port: host.front)?.status == 200)
                    try await host.start()
                    #expect(livingProcess(in: "/run/haproxy.pid") == process)
                    #expect(try await host.ask("STATS")["nodes"]?.array?.count == 2)
                    #expect(try await host.send(host.update()).isPass)
                    #expect(livingProcess(in: "/run/haproxy.pid") == process)
                }
            }
        }
    }
}

/// A host of the fleet.
private struct Host {
    let server: GearmanServer
    let nodes: [HTTPNode]
    let front: Int
    let client: Client
    let configuration: String

    static let pidFile = "/var/run/libra/libra_worker.pid"
    static let sudoers = "/etc/sudoers.d/libra"
    static let folders = ["/var/run/libra", "/var/log/libra", "/var/lib/libra", "/var/spool/libra"]

    var pid: Int32? { livingProcess(in: Host.pidFile) }
    var log: String { readText("/var/log/libra/libra_worker.log") }

    func start() async throws {
        let result = try await command(
            Repository.executable("libra_worker"),
            [
                "--user", "haproxy", "--group", "haproxy", "--server", "127.0.0.1:\(server.port)", "--debug",
                "--config", configuration,
            ])
        guard result.exitCode == 0 else { throw TestServerError("the daemon did not start: \(result)") }
    }

    /// Where this host's name does not resolve each command through sudo takes seconds.
    func send(_ request: JSONValue) async throws -> JSONValue {
        try await client.send(request, to: thisHost(), within: .seconds(120))
    }
    func ask(_ action: String) async throws -> JSONValue { try await send(["hpcs_action": .string(action)]) }
    func update(_ changes: [String: JSONValue] = [:]) -> JSONValue {
        updateRequest(front: front, nodes: nodes.map(\.port), changes)
    }

    func withoutSudo(_ body: () async throws -> Void) async throws {
        unlink(Host.sudoers)
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        try await Host.installSudoers()
        try result.get()
    }

    static func installSudoers() async throws {
        let source = Repository.file("etc/sudoers.d/libra")
        let (code, output) = try await run("install", ["-m", "0440", "-o", "root", "-g", "root", source, sudoers])
        guard code == 0 else { throw TestServerError(output) }
        let (verdict, words) = try await run("visudo", ["-c"])
        guard verdict == 0 else { throw TestServerError(words) }
    }
}

/// Sets a host up with the sudoers file and a daemon, and leaves the machine as it was.
private func withHost(socketAccess: String, _ body: (Host) async throws -> Void) async throws {
    let files = Host.folders + ["/etc/haproxy", Host.sudoers, "/run/haproxy.pid", "/run/haproxy-stats.socket"]
    try await withExclusiveMachine(saving: files) {
        await endProcess(namedIn: Host.pidFile)
        _ = try? await run("service", ["haproxy", "stop"])
        await endProcess(namedIn: "/run/haproxy.pid")
    } _: {
        guard livingProcess(in: "/run/haproxy.pid") == nil else {
            throw TestServerError("the service haproxy runs here, and these tests would end it")
        }
        _ = try await run("rm", ["-rf", "/etc/haproxy/haproxy.cfg"] + Host.folders)
        try await Host.installSudoers()
        try await withTemporaryFolder { folder in
            try await withGearmanServer { server in
                let configuration = "\(folder)/libra.cfg"
                // Where the network check goes to nobody listens: it is over at once.
                try writeText(
                    "[worker]\nnetwork_check = 127.0.0.1:1\n[worker:haproxy]\nsocket_access = \(socketAccess)\nlog = 127.0.0.1:514 local0\n",
                    to: configuration)
                let nodes = [try await HTTPNode.start("A", in: folder), try await HTTPNode.start("B", in: folder)]
                let host = Host(
                    server: server, nodes: nodes, front: try freePort(), client: try client(of: server),
                    configuration: configuration)
                try await host.start()
                try await body(host)
            }
        }
    }
}
