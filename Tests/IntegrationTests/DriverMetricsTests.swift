import DedicatedThread
import Glibc
import HAProxy
import LoadBalancing
import Logging
import SystemPackage
import TestServers
import Testing

@testable import LoadBalancingHAProxy

@Suite struct DriverMetricsTests {
    private func delivery(_ number: UInt64, of job: Int? = nil) -> JobDelivery {
        JobDelivery(
            job: JobIdentity(server: "localhost:4730", handle: "H:host:\(job ?? Int(number))", unique: ""),
            number: number)
    }

    private func bytes(_ report: TrafficReport) -> UInt64 { report.rows.reduce(0) { $0 + $1.traffic.bytesOut } }

    /// What a node's answer has over TCP.
    private func size(of name: String) -> UInt64 {
        UInt64("HTTP/1.1 200 OK\r\nContent-Length: \(name.utf8.count)\r\nConnection: close\r\n\r\n\(name)".utf8.count)
    }

    /// Has requests answered, and waits until HAProxy has counted them: it does so when a session ends.
    private func serve(_ requests: Int, at port: Int, of stand: DriverStand) async throws {
        #expect(await names(at: port, requests: requests) == ["a"])
        let client = RuntimeClient(socket: FilePath(stand.folder + "/haproxy.sock"), access: .direct)
        try await eventually("the end of the sessions") {
            try await client.statistics(kinds: .backends).rows.allSatisfy { $0.currentSessions == 0 }
        }
    }

    @Test("a report has HAProxy's own counts, the next one what passed since")
    func counts() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(id: "15", port: port, [try node.node()])])
            try await serve(5, at: port, of: stand)
            let client = RuntimeClient(socket: FilePath(stand.folder + "/haproxy.sock"), access: .direct)
            let row = try #require(try await client.statistics().backend(try ProxyName("http-15-servers")))
            #expect(row.bytesOut > 0)
            let first = try await driver.traffic(for: nil)
            #expect(first.rows.map(\.balancer.description) == ["http-15"])
            #expect(
                first.rows.map(\.traffic) == [
                    TrafficCounters(bytesIn: row.bytesIn, bytesOut: row.bytesOut, connections: 5, requests: 5)
                ])
            let second = try await driver.traffic(for: nil)
            #expect(second.rows.map(\.traffic) == [.zero])
            #expect(second.start == first.end)
        }
    }

    @Test("over reloads, new drivers, SUSPEND, DELETE and a removed balancer the reports add up to what was served")
    func life() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let (one, two, other) = (try freePort(), try freePort(), try freePort())
            func web(_ port: Int) throws -> LoadBalancer { try balancer(.tcp, id: "1", port: port, [try node.node()]) }
            func db(_ port: Int) throws -> LoadBalancer { try balancer(.tcp, id: "2", port: port, [try node.node()]) }
            var served: UInt64 = 0
            var reported: UInt64 = 0
            var driver: HAProxyDriver? = try await stand.driver()
            func pass(_ port: Int) async throws {
                try await serve(3, at: port, of: stand)
                served += 3 * size(of: "a")
            }
            try await driver?.update([try web(one), try db(other)])
            try await pass(one)
            try await pass(other)
            // Reloads, one of which removes a balancer.
            try await driver?.update([try web(two)])
            try await pass(two)
            let removed = try await #require(driver).traffic(for: nil)
            #expect(removed.rows.map(\.balancer.description) == ["tcp-1", "tcp-2"])
            reported += bytes(removed)
            try await driver?.suspend()
            try await driver?.enable()
            try await pass(two)
            driver = nil
            driver = try await stand.driver()
            try await pass(two)
            reported += bytes(try await #require(driver).traffic(for: nil))
            try await pass(two)
            try await driver?.delete()
            #expect(await code { _ = try await driver?.traffic(for: nil) } == .deleted)
            driver = nil
            driver = try await stand.driver()
            try await driver?.update([try web(one)])
            try await pass(one)
            reported += bytes(try await #require(driver).traffic(for: nil))
            #expect(reported == served)
        }
    }

    @Test("a connection that ends in a process that was replaced is counted, reload upon reload")
    func draining() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver()
            var clients: [SlowClient] = []
            for extra in 0..<3 {
                let nodes = [try balancer(.tcp, port: port, [try node.node()])]
                let others = try (0..<extra).map { number in
                    try balancer(
                        .tcp, id: BalancerID(validating: "x\(number)"), port: try freePort(), [try node.node()])
                }
                try await driver.update(nodes + others)
                clients.append(try SlowClient(port: port))
                try await eventually("the connection is served") {
                    try await driver.statistics()[0].nodes[0].sessions == 1
                }
            }
            #expect(bytes(try await driver.traffic(for: nil)) == 0)
            for client in clients { #expect(await client.finish() == Int(size(of: "a"))) }
            var reported: UInt64 = 0
            try await eventually("every byte is reported; there are \(reported)") {
                reported += bytes(try await driver.traffic(for: nil))
                return reported >= 3 * size(of: "a")
            }
            #expect(reported == 3 * size(of: "a"))
            try await eventually("old processes end") { try await stand.service.master.processes().oldWorkers.isEmpty }
            #expect(bytes(try await driver.traffic(for: nil)) == 0)
        }
    }

    @Test("HAProxy killed: what was read before is reported, what it had not been asked for is lost, nothing is twice")
    func killed() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver()
            let wanted = [try balancer(.tcp, port: port, [try node.node()])]
            try await driver.update(wanted)
            try await serve(3, at: port, of: stand)
            // An answer that did not arrive: read, and not reported.
            _ = try await driver.traffic(for: delivery(1))
            await driver.settleTraffic(of: delivery(1), wasDelivered: false)
            // Nobody can know these.
            try await serve(2, at: port, of: stand)
            try await stand.killHAProxy()
            #expect(bytes(try await driver.traffic(for: delivery(2))) == 3 * size(of: "a"))
            await driver.settleTraffic(of: delivery(2), wasDelivered: true)
            try await driver.update(wanted)
            try await serve(4, at: port, of: stand)
            #expect(bytes(try await driver.traffic(for: delivery(3))) == 4 * size(of: "a"))
        }
    }

    @Test("a job that is delivered again has the same report, in a new worker too, and no other job has it")
    func again() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            var driver: HAProxyDriver? = try await stand.driver()
            try await driver?.update([try balancer(.tcp, port: port, [try node.node()])])
            try await serve(3, at: port, of: stand)
            let report = try await #require(driver).traffic(for: delivery(1))
            #expect(bytes(report) == 3 * size(of: "a"))
            driver = nil
            driver = try await stand.driver()
            try await serve(1, at: port, of: stand)
            let live = try #require(driver)
            #expect(bytes(try await live.traffic(for: delivery(2))) == size(of: "a"))
            #expect(try await live.traffic(for: delivery(3, of: 1)) == report)
            // Word about the delivery before does not count for this one.
            await live.settleTraffic(of: delivery(1), wasDelivered: false)
            #expect(bytes(try await live.traffic(for: delivery(4))) == 0)
            await live.settleTraffic(of: delivery(3, of: 1), wasDelivered: true)
            #expect(bytes(try await live.traffic(for: delivery(5, of: 1))) == 0)
        }
    }

    @Test("a report whose job is answered without it, by a FAIL, is in the next one")
    func failed() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let wanted = [try balancer(.tcp, port: port, [try node.node()])]
            var driver: HAProxyDriver? = try await stand.driver()
            try await driver?.update(wanted)
            try await serve(3, at: port, of: stand)
            #expect(bytes(try await #require(driver).traffic(for: delivery(1))) == 3 * size(of: "a"))
            // The worker is killed, and the job comes again when there are no balancers.
            driver = nil
            let next = try await stand.driver()
            try await next.delete()
            #expect(await code { _ = try await next.traffic(for: delivery(2, of: 1)) } == .deleted)
            await next.settleTraffic(of: delivery(2, of: 1), wasDelivered: true)
            try await next.update(wanted)
            #expect(bytes(try await next.traffic(for: delivery(3))) == 3 * size(of: "a"))
        }
    }

    @Test("connections that are cut when the drain time is over are counted to the last byte")
    func cut() async throws {
        try await withDriverStand { stand in
            let server = try GreetingNode(size: 70_001)
            defer { server.close() }
            let port = try freePort()
            let driver = try await stand.driver(drainTimeout: 3000)
            let node = try server.node()
            try await driver.update([try balancer(.tcp, port: port, [node])])
            let client = try await GreetedClient(port: port, size: server.size)
            defer { client.close() }
            let other = try balancer(.tcp, id: "x", port: try freePort(), [node])
            try await driver.update([try balancer(.tcp, port: port, [node]), other])
            let passing = bytes(try await driver.traffic(for: nil))
            try await eventually("old processes end") { try await stand.service.master.processes().oldWorkers.isEmpty }
            #expect(passing + bytes(try await driver.traffic(for: nil)) == UInt64(server.size))
        }
    }

    @Test("what passes is reported while its connection is open, and not again when that is cut in a replaced process")
    func passing() async throws {
        try await withDriverStand { stand in
            let server = try GreetingNode(size: 70_001, head: "HTTP/1.1 200 OK\r\n\r\n")
            defer { server.close() }
            let (http, tcp) = (try freePort(), try freePort())
            let driver = try await stand.driver(drainTimeout: 3000)
            let wanted = try [(BalancerProtocol.http, http), (.tcp, tcp)].map { kind, port in
                try balancer(kind, port: port, [try server.node()])
            }
            try await driver.update(wanted)
            var clients: [GreetedClient] = []
            defer { for client in clients { client.close() } }
            for port in [http, tcp] {
                clients.append(
                    try await GreetedClient(port: port, size: server.size, request: "GET / HTTP/1.0\r\n\r\n"))
            }
            var reported: [String: UInt64] = [:]
            func report() async throws {
                for row in try await driver.traffic(for: nil).rows {
                    reported[row.balancer.description, default: 0] += row.traffic.bytesOut
                }
            }
            // HAProxy counts about every five seconds.
            try await eventually("the bytes are reported; there are \(reported)") {
                try await report()
                return reported.values.filter { $0 >= UInt64(server.size) }.count == 2
            }
            let counted = reported
            #expect(counted["tcp"] == UInt64(server.size))
            try await driver.update(wanted + [try balancer(.tcp, id: "x", port: try freePort(), [try server.node()])])
            try await eventually("old processes end") { try await stand.service.master.processes().oldWorkers.isEmpty }
            try await report()
            #expect(reported.filter { $0.value > 0 } == counted.filter { $0.value > 0 })
        }
    }

    @Test("a reload that takes longer than the drain time cuts nothing: that begins when the process is told to end")
    func slowReload() async throws {
        try await withDriverStand { stand in
            let server = try GreetingNode(size: 5001)
            defer { server.close() }
            let port = try freePort()
            let script = FaultScript()
            let driver = try await stand.driver(drainTimeout: 3000) { FaultyService($0, script) }
            let wanted = try balancer(.tcp, port: port, [try server.node()])
            try await driver.update([wanted])
            let client = try await GreetedClient(port: port, size: server.size)
            defer { client.close() }
            let first = try await stand.processID()
            let more = [wanted, try balancer(.tcp, id: "x", port: try freePort(), [try server.node()])]
            script.become(.wait(before: .reload))
            async let update = driver.update(more)
            try await script.reached()
            try await Task.sleep(for: .milliseconds(3200))
            // It is told somewhat later.
            let start = ContinuousClock.now
            script.goOn()
            _ = try await update
            try await eventually("the old process ends") {
                try await !stand.service.master.processes().oldWorkers.contains { $0.processID == first }
            }
            #expect(start.duration(to: .now) > .milliseconds(1500))
            #expect(bytes(try await driver.traffic(for: nil)) == UInt64(server.size))
        }
    }

    @Test("of too many processes that have connections the oldest end early, counted and logged")
    func tooMany() async throws {
        try await withDriverStand { stand in
            let server = try GreetingNode(size: 5001)
            defer { server.close() }
            let port = try freePort()
            let log = LogRecorder()
            let options = HAProxyDriverOptions(
                service: .process, stateFolder: stand.folder, log: try LogTarget("127.0.0.1:9 local0"),
                drainTimeout: try Milliseconds(20_000))
            let driver = try await HAProxyDriver(
                options: options, service: options.makeService(), heldLimit: 2, logger: log.logger)
            let wanted = try balancer(.tcp, port: port, [try server.node()])
            try await driver.update([wanted])
            var clients: [GreetedClient] = []
            defer { for client in clients { client.close() } }
            var processes: [Int32] = []
            for _ in 0..<4 {
                clients.append(try await GreetedClient(port: port, size: server.size))
                processes.append(try await stand.processID())
                let extra = try balancer(.tcp, id: "x", port: try freePort(), [try server.node()])
                try await driver.update([wanted, extra])
            }
            try await eventually("the two oldest end") {
                try await stand.service.master.processes().oldWorkers.map(\.processID).sorted()
                    == processes.suffix(2).sorted()
            }
            let size = UInt64(server.size)
            var reported = bytes(try await driver.traffic(for: nil))
            // HAProxy counts about every five seconds what passed over connections that go on.
            #expect([2 * size, 3 * size, 4 * size].contains(reported))
            #expect(log.messages.filter { $0.contains("more than 2 processes") }.count == 2)
            for client in clients { client.close() }
            clients = []
            try await eventually("old processes end") { try await stand.service.master.processes().oldWorkers.isEmpty }
            reported += bytes(try await driver.traffic(for: nil))
            #expect(reported == 4 * size)
        }
    }

    @Test("a statsfile that cannot be written: METRICS fails and names it, and after the repair has all of it")
    func unwritable() async throws {
        try await withDriverStand { stand in
            try await withSmallDisk { disk in
                let node = try NamedNode("a")
                let port = try freePort()
                let path = disk.path + "/haproxy.stats"
                let driver = try await stand.driver(statsFile: path)
                try await driver.update([try balancer(.tcp, port: port, [try node.node()])])
                try await serve(2, at: port, of: stand)
                #expect(bytes(try await driver.traffic(for: delivery(1))) == 2 * size(of: "a"))
                await driver.settleTraffic(of: delivery(1), wasDelivered: true)
                let faults: [(number: UInt64, begin: () throws -> Void, end: () throws -> Void)] = [
                    (2, { try disk.fill() }, { disk.empty() }),
                    (4, { try disk.setReadOnly(true) }, { try disk.setReadOnly(false) }),
                ]
                for fault in faults {
                    try fault.begin()
                    try await serve(3, at: port, of: stand)
                    let error = await #expect(throws: DriverError.self) {
                        try await driver.traffic(for: delivery(fault.number))
                    }
                    #expect(error?.code == .storage && error?.message.contains(path) == true, "\(error?.message ?? "")")
                    // The FAIL arrives. The rest of the driver works.
                    await driver.settleTraffic(of: delivery(fault.number), wasDelivered: true)
                    try await driver.update([
                        try balancer(.tcp, port: port, [try node.node()]),
                        try balancer(.tcp, id: "x", port: try freePort(), [try node.node()]),
                    ])
                    try await serve(1, at: port, of: stand)
                    try fault.end()
                    #expect(bytes(try await driver.traffic(for: delivery(fault.number + 1))) == 4 * size(of: "a"))
                    await driver.settleTraffic(of: delivery(fault.number + 1), wasDelivered: true)
                }
            }
        }
    }

    @Test("a worker that is killed while a replaced process has connections: the next one counts on, but for the last")
    func killedWhileDraining() async throws {
        try await withDriverStand { stand in
            let node = try GreetingNode(size: 5001)
            defer { node.close() }
            let port = try freePort()
            var driver: HAProxyDriver? = try await stand.driver()
            let wanted = try balancer(.tcp, port: port, [try node.node()])
            try await driver?.update([wanted])
            let client = try await GreetedClient(port: port, size: node.size)
            let last = try await GreetedClient(port: port, size: node.size)
            try await driver?.update([wanted, try balancer(.tcp, id: "x", port: try freePort(), [try node.node()])])
            driver = nil
            let next = try await stand.driver()
            #expect(try await !stand.service.master.processes().oldWorkers.isEmpty)
            client.close()
            let size = UInt64(node.size)
            var reported: UInt64 = 0
            try await eventually("the bytes of the connection that ended are reported") {
                reported += bytes(try await next.traffic(for: nil))
                return reported >= size
            }
            last.close()
            try await eventually("the old process ends") {
                try await stand.service.master.processes().oldWorkers.isEmpty
            }
            // The process ends with its last connection, and may take its count with it: nobody holds it.
            reported += bytes(try await next.traffic(for: nil))
            #expect([size, 2 * size].contains(reported))
        }
    }

    @Test("a session goes on with a process that was replaced, and notices its end", arguments: SocketAccess.allCases)
    func session(access: SocketAccess) async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let driver = try await stand.driver()
            try await driver.update([try balancer(.tcp, port: try freePort(), [try node.node()])])
            let first = try await stand.processID()
            let session = RuntimeSession(socket: FilePath(stand.folder + "/haproxy.sock"), access: access)
            try await session.open()
            #expect(try await session.counters().isStopping == false)
            try await driver.update([try balancer(.tcp, port: try freePort(), [try node.node()])])
            try await eventually("the process is told to end") { try await session.counters().isStopping }
            #expect(try await session.counters().processID == first)
            try await stand.killHAProxy()
            let time = await ContinuousClock().measure {
                let error = await #expect(throws: HAProxyError.self) { try await session.counters() }
                #expect(error?.code == .connectionLost)
            }
            #expect(time < .seconds(5))
            await session.close()
        }
    }

    @Test("HAProxy killed between two looks: what the last look had seen is reported, also where nothing is compared")
    func killedAfterLook() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver(reconciliation: .off)
            try await driver.update([try balancer(.tcp, port: port, [try node.node()])])
            try await serve(3, at: port, of: stand)
            await driver.sampleTraffic()
            await driver.reconcile()
            try await stand.killHAProxy()
            #expect(bytes(try await driver.traffic(for: nil)) == 3 * size(of: "a"))
        }
    }

    @Test("counters that somebody set to zero never make less, and the log says so")
    func cleared() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let log = LogRecorder()
            let driver = try await stand.driver(logger: log.logger)
            try await driver.update([try balancer(.tcp, port: port, [try node.node()])])
            try await serve(3, at: port, of: stand)
            #expect(bytes(try await driver.traffic(for: nil)) == 3 * size(of: "a"))
            let client = RuntimeClient(socket: FilePath(stand.folder + "/haproxy.sock"), access: .direct)
            _ = try await client.send(try .verbatim("clear counters all"))
            try await serve(2, at: port, of: stand)
            #expect(!log.messages.contains { $0.contains("zero") })
            #expect(bytes(try await driver.traffic(for: nil)) == 2 * size(of: "a"))
            #expect(log.messages.contains { $0.contains("set the counters of tcp in") && $0.contains("to zero") })
        }
    }

    @Test(
        "a statsfile that cannot be read: a corrupt one is set aside, a later one's is left alone and METRICS says so")
    func faults() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let path = stand.folder + "/haproxy.stats"
            var driver: HAProxyDriver? = try await stand.driver()
            try await driver?.update([try balancer(.tcp, port: port, [try node.node()])])
            try await serve(3, at: port, of: stand)
            _ = try await driver?.traffic(for: nil)
            driver = nil
            try AtomicFile(path: path).write(Array("libra-stats 1 0\n{".utf8))
            driver = try await stand.driver()
            // It may have been reported.
            #expect(bytes(try await #require(driver).traffic(for: nil)) == 0)
            #expect(readText(path + ".corrupt") == "libra-stats 1 0\n{")
            try await serve(2, at: port, of: stand)
            #expect(bytes(try await #require(driver).traffic(for: nil)) == 2 * size(of: "a"))

            driver = nil
            let later = "libra-stats 2 0\nsomething"
            try AtomicFile(path: path).write(Array(later.utf8))
            let live = try await stand.driver()
            let error = try await #require(throws: DriverError.self) { try await live.traffic(for: nil) }
            #expect(error.message.contains(path) && error.message.contains("version 2"))
            try await live.update([try balancer(.tcp, port: try freePort(), [try node.node()])])
            #expect(readText(path) == later)
        }
    }
}

/// A client that sends its request when it is told to.
struct SlowClient {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = connectToLoopback(port: port)
        guard descriptor >= 0 else { throw TestServerError("nobody listens on port \(port)") }
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        // HAProxy connects to a node once it has a client.
        _ = send(descriptor, "G", 1, Int32(MSG_NOSIGNAL))
    }

    /// Sends the rest, and returns how many bytes came back.
    func finish() async -> Int {
        await DedicatedThread(name: "slow").run { [descriptor] in
            defer { close(descriptor) }
            let rest = "ET / HTTP/1.1\r\n\r\n"
            _ = send(descriptor, rest, rest.utf8.count, Int32(MSG_NOSIGNAL))
            var buffer = [UInt8](repeating: 0, count: 4096)
            var total = 0
            while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 { total += count }
            return total
        }
    }
}
