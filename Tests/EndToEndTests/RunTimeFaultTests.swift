import Gearman
import Glibc
import HAProxy
import JSON
import LoadBalancing
import Synchronization
import SystemPackage
import TestServers
import Testing

extension EndToEnd {
    /// What goes wrong around changes that HAProxy makes while it runs.
    @Suite("Without a reload")
    struct RunTimeFaultTests {
        /// HAProxy as somebody else on the host sees it.
        private struct LiveView {
            let folder: String
            var socket: String { "\(folder)/haproxy.sock" }
            var file: String { readText("\(folder)/haproxy.cfg") }
            var runtime: RuntimeClient { RuntimeClient(socket: FilePath(socket), access: .direct) }
            func process() async throws -> Int32 { try await runtime.info().processID }
            func servers() async throws -> Set<String> {
                Set(
                    try await runtime.serversState().rows.map {
                        "\($0.name) \($0.address):\($0.port) \($0.weight) \($0.adminState)"
                    })
            }
        }

        private func start(_ stand: Stand, configuration: String = "") async throws -> ForegroundWorker {
            try await ForegroundWorker.start(
                in: stand.folder, name: stand.worker.name, ports: [stand.server.port], configuration: configuration)
        }

        @Test("SIGKILL of the worker between any two steps: the next one takes them back, and HAProxy runs on")
        func killedBetweenSteps() async throws {
            try await withStand { stand in
                try await stand.apply()
                let live = LiveView(folder: stand.worker.stateFolder)
                let (process, file, servers) = (try await live.process(), live.file, try await live.servers())
                let change = stand.update([
                    "nodes": [
                        ["id": "1001", "address": "127.0.0.1", "port": .number(stand.nodes[1].port), "weight": 5],
                        ["id": "1003", "address": "127.0.0.1", "port": .number(stand.nodes[0].port)],
                    ]
                ])
                var worker = stand.worker
                var number = 0
                while true {
                    number += 1
                    let (victim, number) = (worker.pid, number)
                    let count = Mutex(0)
                    let relay = try UnixSocketRelay(at: live.socket) { line in
                        // Servers that leave are deleted behind the reply: what is done by then is not taken back.
                        let others = ["prompt", "show info", "show stat", "del server", "shutdown sessions"]
                        guard !others.contains(where: line.hasPrefix) else { return .forward }
                        let position = count.withLock { count in
                            count += 1
                            return count
                        }
                        if position == number { kill(victim, SIGKILL) }
                        return .forward
                    }
                    let isDone = Mutex(false)
                    let reply = Task {
                        guard let reply = try? await stand.send(change), reply.isPass else { return }
                        isDone.withLock { $0 = true }
                    }
                    try await eventually("the end of the change or the worker") {
                        isDone.withLock { $0 } || !isAlive(victim)
                    }
                    relay.close()
                    if isDone.withLock({ $0 }) { break }
                    // Else the next worker would get the job again before its traces can be looked at.
                    await stand.server.kill()
                    await reply.value
                    await worker.kill()
                    worker = try await start(stand)
                    try await eventually("step \(number) taken back") {
                        try await live.servers() == servers && !exists("\(live.folder)/pending.json")
                    }
                    #expect(live.file == file)
                    #expect(try await live.process() == process)
                    try await stand.server.start()
                    try await untilRegistered(worker, at: stand.server)
                }
                // An addition with checks and a cookie, a move, a weight, a server in service, one that leaves; a reading.
                #expect(number >= 8)
                #expect(try await live.process() == process)
                #expect(live.file != file)
                await worker.kill()
            }
        }

        @Test("SIGTERM of the worker while a node leaves: the next one removes it when its connection has ended")
        func terminatedWhileDraining() async throws {
            for mode in ["repair", "off"] {
                let configuration = "drain_timeout = 60\nreconcile = \(mode)"
                try await withStand(configuration: configuration) { stand in
                    let (a, b) = (try NamedNode("a"), try NamedNode("b"))
                    let live = LiveView(folder: stand.worker.stateFolder)
                    func update(_ id: String, _ node: NamedNode) async throws {
                        let reply = try await stand.send(
                            stand.update([
                                "protocol": "TCP",
                                "nodes": [["id": .string(id), "address": "127.0.0.1", "port": .number(node.port)]],
                            ]))
                        #expect(reply.isPass, "\(reply)")
                    }
                    try await update("1", a)
                    let open = try OpenConnection(port: stand.front)
                    try await eventually("the connection") {
                        try await live.runtime.statistics().rows.contains {
                            $0.server == "id-1" && $0.currentSessions == 1
                        }
                    }
                    try await update("2", b)
                    let process = try await live.process()
                    stand.worker.signal(SIGTERM)
                    #expect(try await stand.worker.waitForExit() == 0)
                    let next = try await start(stand, configuration: configuration)
                    try await untilRegistered(next, at: stand.server)
                    #expect(try await live.servers().count == 2)
                    #expect(await open.askForName() == "a")
                    open.close()
                    try await eventually("the end of the node, \(mode)") { try await live.servers().count == 1 }
                    #expect(await askForName(port: stand.front) == "b")
                    #expect(try await live.process() == process)
                    await next.kill()
                }
            }
        }

        @Test("every stats_poll seconds what somebody changed, or started with another file, is put right")
        func reconciles() async throws {
            try await withStand(arguments: ["--stats-poll", "1"]) { stand in
                try await stand.apply()
                let live = LiveView(folder: stand.worker.stateFolder)
                let (process, file, servers) = (try await live.process(), live.file, try await live.servers())
                let backend = try ProxyName("http-15-servers")
                try await live.runtime.perform(
                    .setWeight(backend, try ServerName("id-1001"), try HAProxy.Weight(99)))
                try await eventually("the weight") { try await live.servers() == servers }
                #expect(try await live.process() == process)
                #expect(stand.worker.log.contains("not as it was asked for: set the weight of http-15-servers/id-1001"))

                // Somebody edits the file and starts HAProxy anew; the worker does not look meanwhile.
                stand.worker.signal(SIGSTOP)
                defer { stand.worker.signal(SIGCONT) }
                let master = try #require(stand.worker.haproxy)
                kill(master, SIGTERM)
                try await eventually("the end of HAProxy") { !isAlive(master) && !isAlive(process) }
                try writeText(file.replacing("roundrobin", with: "leastconn"), to: "\(live.folder)/haproxy.cfg")
                let (code, output) = try await run(
                    "haproxy",
                    [
                        "-W", "-D", "-S", "\(live.folder)/haproxy-master.sock,mode,600", "-f",
                        "\(live.folder)/haproxy.cfg", "-p", "\(live.folder)/haproxy.pid",
                    ])
                try #require(code == 0, "\(output)")
                let other = try await live.process()
                stand.worker.signal(SIGCONT)
                try await eventually("what was asked for") {
                    let (now, process) = (try await live.servers(), try await live.process())
                    return live.file == file && process != other && now == servers
                }
                #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
                #expect(stand.worker.log.contains("what was asked for is restored"))
            }
        }
    }
}
