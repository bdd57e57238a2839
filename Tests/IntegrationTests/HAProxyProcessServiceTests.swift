import Glibc
import HAProxy
import SystemPackage
import TestServers
import Testing

@Suite struct HAProxyProcessServiceTests {
    @Test("HAProxy starts detached, serves, and is gone when stop returns")
    func life() async throws {
        try await withHAProxyStand { stand in
            let node = try await HTTPNode.start("a", in: stand.folder)
            #expect(try await !stand.service.isRunning())
            let nothing = try await #require(throws: HAProxyError.self) { try await stand.service.start() }
            #expect(nothing.code == .startFailed && nothing.message.contains("haproxy.cfg"))

            try await stand.start(try stand.configuration([try stand.server("one", port: node.port)]))
            #expect(try await stand.service.isRunning())
            #expect(try await stand.get() == "a")
            let processes = try await stand.processIDs()
            try await stand.service.start()
            #expect(try await stand.processIDs() == processes, "a second start changes nothing")

            try await stand.service.stop()
            #expect(try await !stand.service.isRunning())
            for process in processes { #expect(!isAlive(process)) }
            #expect(!accepts(port: stand.port))
            try await stand.service.stop()
            let gone = try await #require(throws: HAProxyError.self) { try await stand.service.reload() }
            #expect(gone.code == .notRunning)
            await node.stop()
        }
    }

    @Test("nothing ties HAProxy to the process that started it")
    func detached() async throws {
        try await withHAProxyStand { stand in
            // A descriptor that a child could inherit.
            let pipe = open("/dev/null", O_RDONLY)
            defer { close(pipe) }
            try await stand.start(try stand.configuration())
            for process in try await stand.processIDs() {
                #expect(getsid(process) != getsid(0))
                let (_, files) = try await run("ls", ["-l", "/proc/\(process)/fd"])
                let targets = files.split(separator: "\n").compactMap { line in
                    line.split(separator: ">").last.map { $0.drop { $0 == " " } }
                }
                for target in targets where target.hasPrefix("/") {
                    #expect(
                        target.hasPrefix(stand.folder)
                            || target.hasPrefix("/dev/null") && !files.contains(" \(pipe) -> /dev/null"),
                        "\(target)")
                }
                #expect(!readText("/proc/\(process)/environ").contains("HOME="))
            }
        }
    }

    @Test("a later service control of the same folder finds what an earlier one started")
    func adoption() async throws {
        try await withHAProxyStand { stand in
            try await stand.start(try stand.configuration([try stand.server("one", port: 1)]))
            let processes = try await stand.processIDs()
            let later = ProcessService(folder: FilePath(stand.folder))
            #expect(try await later.isRunning())
            try await later.start()
            #expect(try await stand.processIDs() == processes)
            try await later.reload()
            #expect(try await stand.processIDs().first == processes.first)

            #expect(try await run("rm", [later.processIDFile.string]).exitCode == 0)
            #expect(try await later.isRunning(), "the master's socket tells, too")
            try await later.stop()
            #expect(!isAlive(processes[0]))
        }
    }

    @Test("a worker that finishes what it has is still asked for its counters, through the master")
    func oldWorker() async throws {
        try await withHAProxyStand { stand in
            let node = try await HTTPNode.start("a", in: stand.folder)
            let configuration = try stand.configuration([try stand.server("one", port: node.port)])
            try await stand.start(configuration)
            let old = try await stand.runtime.info().processID
            #expect(try await stand.get() == "a")
            // A connection that was accepted and not used keeps a worker for as long as a client may be silent.
            let client = try await ChildProcess.start(
                "python3",
                [
                    "-c",
                    "import socket,time; s=socket.create_connection(('127.0.0.1',\(stand.port))); s.send(b'GET'); time.sleep(60)",
                ],
                in: stand.folder)
            let frontend = try ProxyName("web-in")
            try await eventually { try await stand.runtime.statistics().frontend(frontend)?.currentSessions == 1 }
            try await stand.reload(configuration)
            let list = try await stand.service.master.processes()
            #expect(list.oldWorkers.map(\.processID) == [old])
            let statistics = try await stand.service.master.statistics(ofWorker: old)
            #expect(statistics.backend(try ProxyName("web"))?.totalSessions == 1)
            await client.kill()
            await node.stop()
        }
    }

    @Test("a reload brings a new worker that serves the new configuration")
    func reload() async throws {
        try await withHAProxyStand { stand in
            let a = try await HTTPNode.start("a", in: stand.folder)
            let b = try await HTTPNode.start("b", in: stand.folder)
            try await stand.start(try stand.configuration([try stand.server("one", port: a.port)]))
            let before = try await stand.runtime.info()
            for (node, name) in [(b, "b"), (a, "a"), (b, "b")] {
                try await stand.reload(try stand.configuration([try stand.server("one", port: node.port)]))
                #expect(try await stand.get() == name)
            }
            let after = try await stand.runtime.waitForProcess(otherThan: before.processID, within: .seconds(5))
            let list = try await stand.service.master.processes()
            #expect(list.workers.map(\.processID) == [after.processID])
            #expect(list.master.reloads == 3 && list.master.failedReloads == 0)
            let reply = try await stand.service.master.send(.showInfo, toWorker: after.processID)
            #expect(try RuntimeInfo(reply).processID == after.processID)
            let statistics = try await stand.service.master.statistics(ofWorker: after.processID)
            #expect(statistics.backend(try ProxyName("web"))?.totalSessions == 1)
            await #expect(throws: HAProxyError.self) { try await stand.service.master.statistics(ofWorker: 1) }
            await a.stop()
            await b.stop()
        }
    }

    @Test("a reload that fails says why, and the old configuration is served on")
    func failedReload() async throws {
        try await withHAProxyStand { stand in
            let node = try await HTTPNode.start("a", in: stand.folder)
            let relay = try TCPRelay(to: node.port)
            let good = try stand.configuration([try stand.server("one", port: node.port)])
            try await stand.start(good)
            let worker = try await stand.runtime.info().processID

            var taken = good
            taken.frontends[0].binds.append(Bind(try Address("127.0.0.1"), port: try Port(relay.port)))
            let inUse = try await #require(throws: HAProxyError.self) { try await stand.reload(taken) }
            #expect(inUse.code == .reloadFailed)
            #expect(inUse.message.contains("cannot bind socket (Address already in use) for [127.0.0.1:\(relay.port)]"))
            #expect(try await stand.get() == "a")

            try await stand.service.install(try good.rendered() + "nonsense\n")
            let invalid = try await #require(throws: HAProxyError.self) { try await stand.service.reload() }
            #expect(invalid.code == .reloadFailed)
            #expect(invalid.message.contains("unknown keyword 'nonsense'"))
            #expect(try await stand.runtime.info().processID == worker)
            #expect(try await stand.get() == "a")

            try await stand.reload(good)
            #expect(try await stand.runtime.info().processID != worker)
            #expect(try await stand.get() == "a")
            relay.close()
            await node.stop()
        }
    }

    @Test("a start that fails says why and leaves nothing behind")
    func failedStart() async throws {
        try await withHAProxyStand { stand in
            let relay = try TCPRelay(to: 1)
            var configuration = try stand.configuration()
            configuration.frontends[0].binds = [Bind(try Address("127.0.0.1"), port: try Port(relay.port))]
            let inUse = try await #require(throws: HAProxyError.self) { try await stand.start(configuration) }
            #expect(inUse.code == .startFailed)
            #expect(inUse.message.contains("Address already in use"))
            #expect(try await !stand.service.isRunning())

            try await stand.service.install("nonsense\n")
            let invalid = try await #require(throws: HAProxyError.self) { try await stand.service.start() }
            #expect(invalid.code == .startFailed && invalid.message.contains("nonsense"))

            let absent = ProcessService(folder: FilePath(stand.folder), executable: "/nonexistent/haproxy")
            let missing = try await #require(throws: HAProxyError.self) { try await absent.start() }
            #expect(missing.message.contains("/nonexistent/haproxy"))
            let long = ProcessService(folder: FilePath("\(stand.folder)/" + String(repeating: "x", count: 80)))
            let tooLong = try await #require(throws: HAProxyError.self) { try await long.start() }
            #expect(tooLong.code == .invalidValue)
            relay.close()
        }
    }

    @Test("a start that takes too long is undone")
    func slowStart() async throws {
        try await withHAProxyStand { stand in
            let servers = try (0..<5000).map { try stand.server("s\($0)", port: $0 + 1) }
            let impatient = ProcessService(folder: FilePath(stand.folder), timeout: .milliseconds(20))
            try await impatient.install(try stand.configuration(servers).rendered())
            let error = try await #require(throws: HAProxyError.self) { try await impatient.start() }
            #expect(error.code == .timedOut)
            #expect(try await !stand.service.isRunning())
            // With 5,000 servers it would be there after a moment.
            try await Task.sleep(for: .milliseconds(300))
            let processes = try await run("ps", ["-e", "-o", "stat=,args="]).output.split(separator: "\n")
            #expect(!processes.contains { $0.contains(stand.folder) && !$0.hasPrefix("Z") })
        }
    }

    @Test("after kill -9 HAProxy is known not to run, and can be started again")
    func killed() async throws {
        try await withHAProxyStand { stand in
            try await stand.start(try stand.configuration())
            let processes = try await stand.processIDs()
            #expect(try await run("kill", ["-9"] + processes.map { "\($0)" }).exitCode == 0)
            try await eventually { try await !stand.service.isRunning() }
            let error = try await #require(throws: HAProxyError.self) { try await stand.runtime.info() }
            #expect(error.code == .notRunning && error.isRetriable)
            try await stand.service.start()
            #expect(try await stand.runtime.info().processID != processes[1])
        }
    }

    @Test("a worker that outlives its master is ended by stop or by itself")
    func orphanedWorker() async throws {
        try await withHAProxyStand { stand in
            try await stand.start(try stand.configuration())
            let processes = try await stand.processIDs()
            #expect(try await run("kill", ["-9", "\(processes[0])"]).exitCode == 0)
            try await eventually { !isAlive(processes[1]) }
            try await stand.service.start()
            #expect(try await stand.service.isRunning())
        }
    }

    @Test("a process id file that names somebody else's process harms nobody")
    func recycledProcessID() async throws {
        try await withHAProxyStand { stand in
            let bystander = try await ChildProcess.start("sleep", ["60"], in: stand.folder)
            try writeText("\(bystander.pid)\n", to: stand.service.processIDFile.string)
            #expect(try await !stand.service.isRunning())
            try await stand.service.stop()
            #expect(bystander.isRunning)
            try await stand.start(try stand.configuration())
            #expect(try await stand.service.isRunning())
            #expect(bystander.isRunning)
            await bystander.kill()
        }
    }

    @Test(
        "another user's process with HAProxy's name and arguments is neither waited for nor killed",
        .enabled(if: geteuid() == 0, "only root can be somebody else"))
    func strangersProcess() async throws {
        try await withHAProxyStand { stand in
            let program = stand.folder + "/haproxy"
            #expect(try await run("cp", ["/bin/sh", program]).exitCode == 0)
            let stranger = try await ChildProcess.start(
                "setpriv",
                [
                    "--reuid", "nobody", "--clear-groups", program, "-c", "while sleep 0.1; do :; done",
                    stand.service.processIDFile.string,
                ],
                in: stand.folder)
            try await eventually("the stranger's name") { readText("/proc/\(stranger.pid)/comm") == "haproxy\n" }
            try writeText("\(stranger.pid)\n", to: stand.service.processIDFile.string)
            #expect(try await !stand.service.isRunning())
            try await stand.start(try stand.configuration())
            #expect(try await stand.service.isRunning())
            try await stand.service.stop()
            #expect(stranger.isRunning)
            let processIDs = FilePath(stand.folder + "/system.pid")
            try writeText("\(stranger.pid)\n", to: processIDs.string)
            let system = SystemService(paths: SystemService.Paths(processIDs: processIDs))
            #expect(try await !system.isRunning())
            await stranger.kill()
        }
    }

    @Test("a HAProxy of another folder is left alone")
    func twoFolders() async throws {
        try await withHAProxyStand { first in
            try await withHAProxyStand { second in
                try await first.start(try first.configuration())
                try await second.start(try second.configuration())
                let processID = try await first.processIDs()[0]
                try writeText("\(processID)\n", to: second.service.processIDFile.string)
                #expect(try await second.service.isRunning(), "the master's socket tells, too")
                let processIDs = try await second.processIDs()
                try await second.service.stop()
                #expect(isAlive(processID))
                for processID in processIDs { #expect(!isAlive(processID)) }
            }
            #expect(try await first.service.isRunning())
        }
    }

    @Test("with every frontend disabled HAProxy runs and refuses connections")
    func suspended() async throws {
        try await withHAProxyStand { stand in
            let node = try await HTTPNode.start("a", in: stand.folder)
            let active = try stand.configuration([try stand.server("one", port: node.port)])
            var suspended = active
            suspended.frontends[0].isDisabled = true
            try await stand.start(suspended)
            #expect(try await stand.service.isRunning())
            #expect(!accepts(port: stand.port))
            let rows = try await stand.runtime.statistics().rows
            #expect(!rows.contains { $0.kind == .frontend && $0.proxy == "web-in" && $0.status.isUp })
            try await stand.reload(active)
            #expect(try await stand.get() == "a")
            try await stand.reload(suspended)
            try await eventually { !accepts(port: stand.port) }
            await node.stop()
        }
    }

    @Test("servers that go up and down without end fill neither the disk nor HAProxy's patience")
    func messages() async throws {
        try await withHAProxyStand { stand in
            // Long names make long messages: three times a thousand of them are more than the pipe holds.
            let servers = try (0..<500).map {
                try stand.server("s\($0)-" + String(repeating: "x", count: 240), port: $0 + 1)
            }
            try await stand.start(try stand.configuration(servers))
            let backend = try ProxyName("web")
            for _ in 0..<3 {
                for server in servers {
                    try await stand.runtime.perform([
                        .setServerState(backend, server.name, .maint), .setServerState(backend, server.name, .ready),
                    ])
                }
            }
            #expect(try await stand.runtime.info()["Pid"] != nil)
            #expect(
                try await run("du", ["-sk", stand.folder]).output.split(separator: "\t").first.flatMap { Int($0) } ?? 0
                    < 4000)
            try await stand.service.install("nonsense\n")
            let error = try await #require(throws: HAProxyError.self) { try await stand.service.reload() }
            #expect(error.message.contains("nonsense"))
        }
    }

    @Test("requests go through during reloads")
    func reloadsUnderLoad() async throws {
        try await withHAProxyStand { stand in
            let node = try await HTTPNode.start("a", in: stand.folder)
            let configuration = try stand.configuration([try stand.server("one", port: node.port)])
            try await stand.start(configuration)
            let load = try await ChildProcess.start(
                "sh",
                [
                    "-c",
                    "while [ ! -e \(stand.folder)/end ]; do curl -s -m 5 -o /dev/null http://127.0.0.1:\(stand.port)/ || echo lost; echo one; done",
                ],
                in: stand.folder)
            try await eventually("the first request") { load.output.contains("one") }
            for _ in 0..<5 { try await stand.reload(configuration) }
            try writeText("", to: "\(stand.folder)/end")
            try await load.waitForExit()
            #expect(!load.output.contains("lost"))
            await node.stop()
        }
    }
}
