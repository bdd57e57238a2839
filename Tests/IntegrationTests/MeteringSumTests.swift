import Glibc
import HAProxy
import LoadBalancing
import Logging
import SystemPackage
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// What METRICS promises as a whole: over a life with every kind of end, the reports that arrive add up to what HAProxy
/// counted, and what is missing is what nobody could know.
@Suite(.serialized) struct MeteringSumTests {
    @Test("with a master: every byte is in one report, but for what HAProxy was not asked for when killed")
    func process() async throws {
        try await withDriverStand { stand in
            let options = HAProxyDriverOptions(
                service: .process, stateFolder: stand.folder, log: try LogTarget("127.0.0.1:9 local0"),
                drainTimeout: try Milliseconds(60_000))
            let host = MeteredHost(
                options: options, kill: { try await stand.killHAProxy() },
                restart: {
                    try await stand.service.stop()
                    try await stand.service.start()
                })
            try await live(on: host, worker: { try await host.driver() })
        }
    }

    @Test(
        "with `service haproxy`: every byte is in one report, but for what HAProxy was not asked for when killed",
        arguments: [SocketAccess.direct, .socat])
    func systemService(access: SocketAccess) async throws {
        try await withSystemHAProxy {
            try await withTemporaryFolder { folder in
                var options = HAProxyDriverOptions(
                    service: .debian, stateFolder: folder, log: try LogTarget("127.0.0.1:9 local0"),
                    drainTimeout: try Milliseconds(60_000))
                options.stagingFolder = folder
                options.socketAccess = access
                let host = MeteredHost(
                    options: options,
                    kill: {
                        let processes = readText("/run/haproxy.pid").split(separator: "\n").compactMap { Int32($0) }
                        for process in processes { Glibc.kill(process, SIGKILL) }
                        try await waitForEnd(of: processes)
                    },
                    restart: { _ = try await run("service", ["haproxy", "restart"]) })
                try await live(on: host, worker: { try await host.driver() })
            }
        }
    }

    /// A life of a host: traffic throughout, reloads with connections that outlive them, restarts by others, DELETE, kills
    /// of the worker and of HAProxy, and answers that are lost.
    private func live(on host: MeteredHost, worker: () async throws -> HAProxyDriver) async throws {
        let (named, greeting) = (try NamedNode("a"), try GreetingNode(size: 100_003))
        defer { greeting.close() }
        let (http, tcp, long) = (try freePort(), try freePort(), try freePort())
        func wanted(and extra: Int? = nil) throws -> [LoadBalancer] {
            let more = try extra.map { try balancer(.tcp, id: "extra", port: $0, [try named.node()]) }
            return [
                try balancer(.http, id: "h", port: http, [try named.node()]),
                try balancer(.tcp, id: "t", port: tcp, [try named.node()]),
                try balancer(.tcp, id: "l", port: long, [try greeting.node()]),
            ] + (more.map { [$0] } ?? [])
        }
        var books = Books()
        var driver: HAProxyDriver? = try await worker()
        func now() throws -> HAProxyDriver { try #require(driver) }
        /// Traffic that has ended when this returns, over HTTP and TCP.
        func serve(_ requests: Int) async throws {
            #expect(await names(at: http, requests: requests) == ["a"])
            #expect(await names(at: tcp, requests: requests) == ["a"])
            try await books.read(host)
        }

        try await now().update(try wanted())
        try await serve(3)
        // Reloads, each with a connection that outlives it.
        var clients: [GreetedClient] = []
        for round in 0..<3 {
            clients.append(try await GreetedClient(port: long, size: greeting.size))
            try await serve(1)
            try await now().update(try wanted(and: try freePort()))
            try await serve(2)
            try await books.report(by: now(), arrives: round != 1)
        }
        // The connections end in processes that were replaced; there is no other process that has their bytes.
        for client in clients {
            client.close()
            books.endedOutside(greeting.size)
        }
        try await books.report(by: now(), arrives: false)
        try await eventually("what was replaced is counted") {
            try await books.report(by: now(), arrives: true)
            return books.reported["tcp-l"] == UInt64(3 * greeting.size)
        }

        // The worker is killed: idle, and between a report and its answer; then the job comes again.
        try await serve(2)
        driver = nil
        driver = try await worker()
        try await serve(1)
        let job = books.nextDelivery()
        let report = try await now().traffic(for: job)
        driver = nil
        driver = try await worker()
        try await serve(2)
        try await books.report(by: now(), arrives: true)
        let again = books.nextDelivery(of: job.job)
        #expect(try await now().traffic(for: again) == report)
        try await now().settleTraffic(of: again, wasDelivered: true)
        books.arrived(report)

        // Somebody restarts HAProxy after the worker has looked; the worker stops it and starts it again.
        try await serve(2)
        try await now().sampleTraffic()
        try await host.restart()
        try await serve(1)
        try await now().delete()
        try await now().update(try wanted())
        try await serve(2)
        try await books.report(by: now(), arrives: true)
        #expect(books.reported == books.known)

        // HAProxy is killed: what it counted before the worker last looked is known; what it counted later, and what it
        // had not counted because the connection was open, is known to nobody.
        try await serve(3)
        try await now().sampleTraffic()
        let beforeKill = books.known
        try await serve(2)
        let unknowable = books.known.merging(beforeKill) { $0 - $1 }
        #expect(unknowable["tcp-t"] == 2 * sizeOfAnswer && unknowable["http-h"].map { $0 > 0 } == true)
        let lost = try await GreetedClient(port: long, size: greeting.size)
        try await host.kill()
        lost.close()
        driver = nil
        driver = try await worker()
        try await now().update(try wanted())
        try await serve(2)
        try await books.report(by: now(), arrives: true)
        try await books.report(by: now(), arrives: true)
        #expect(books.known.merging(unknowable) { $0 - $1 } == books.reported)

        // The nodes have their own count. HAProxy's for TCP is theirs, less what nobody could know.
        let sentOverTCP = UInt64(books.requestsOverTCP) * sizeOfAnswer + UInt64(4 * greeting.size)
        let reportedOverTCP = (books.reported["tcp-t"] ?? 0) + (books.reported["tcp-l"] ?? 0)
        #expect(sentOverTCP - reportedOverTCP == 2 * sizeOfAnswer + UInt64(greeting.size))
        try await now().delete()
    }
}

/// What a node's answer has over TCP.
private let sizeOfAnswer = UInt64("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na".utf8.count)

/// A host on which things end.
private struct MeteredHost {
    let options: HAProxyDriverOptions
    /// Kills HAProxy at once.
    let kill: () async throws -> Void
    /// Restarts HAProxy behind the worker's back.
    let restart: () async throws -> Void

    func driver() async throws -> HAProxyDriver {
        try await HAProxyDriver(
            options: options, logger: Logger(label: "driver", factory: { _ in SwiftLogNoOpLogHandler() }))
    }
}

/// What HAProxy counted and what METRICS reported, each by balancer.
private struct Books {
    /// HAProxy's own last word, by process.
    private var counted: [Int32: [String: UInt64]] = [:]
    private var outside: UInt64 = 0
    private var deliveries: UInt64 = 0
    private(set) var reported: [String: UInt64] = [:]

    /// The sum of what HAProxy's processes counted, those that have ended included.
    var known: [String: UInt64] {
        var known = counted.values.reduce(into: [String: UInt64]()) { $0.merge($1, uniquingKeysWith: +) }
        known["tcp-l", default: 0] += outside
        return known.filter { $0.value > 0 }
    }

    /// How many requests were made over TCP, as HAProxy's count of bytes has it.
    var requestsOverTCP: UInt64 { (known["tcp-t"] ?? 0) / sizeOfAnswer }

    /// Asks HAProxy itself, when all but the long connections have ended.
    ///
    /// Those it has counted in part, and who has them knows better.
    mutating func read(_ host: MeteredHost) async throws {
        let client = RuntimeClient(socket: FilePath(host.options.socket), access: .direct)
        var counters: ProcessCounters?
        try await eventually("the end of the sessions") {
            counters = try await client.counters()
            return counters?.backends.rows.allSatisfy { $0.currentSessions == 0 || $0.proxy.hasPrefix("tcp-l") } == true
        }
        guard let counters else { return }
        for row in counters.backends.rows where row.kind == .backend {
            guard !row.proxy.hasPrefix("tcp-l"), let key = BalancerKey(backendName: row.proxy) else { continue }
            counted[counters.processID, default: [:]][key.description] = row.bytesOut
        }
    }

    /// A long connection ended in a process that cannot be asked any more.
    mutating func endedOutside(_ bytes: Int) { outside += UInt64(bytes) }

    mutating func nextDelivery(of job: JobIdentity? = nil) -> JobDelivery {
        deliveries += 1
        let job = job ?? JobIdentity(server: "localhost:4730", handle: "H:host:\(deliveries)", unique: "")
        return JobDelivery(job: job, number: deliveries)
    }

    /// A METRICS whose answer arrives, or does not.
    mutating func report(by driver: HAProxyDriver, arrives: Bool) async throws {
        let delivery = nextDelivery()
        let report = try await driver.traffic(for: delivery)
        await driver.settleTraffic(of: delivery, wasDelivered: arrives)
        if arrives { arrived(report) }
    }

    mutating func arrived(_ report: TrafficReport) {
        for row in report.rows where row.traffic.bytesOut > 0 {
            reported[row.balancer.description, default: 0] += row.traffic.bytesOut
        }
    }
}

private func waitForEnd(of processes: [Int32]) async throws {
    try await eventually("HAProxy's end") {
        processes.allSatisfy { process in
            let status = readText("/proc/\(process)/stat")
            return status.isEmpty || status.contains(") Z ")
        }
    }
}
