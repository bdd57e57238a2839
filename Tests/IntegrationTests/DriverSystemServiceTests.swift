import Glibc
import HAProxy
import LoadBalancing
import Logging
import SystemPackage
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// The driver on the machine's own HAProxy, through `sudo` and `service`, one test at a time.
@Suite(.serialized) struct DriverSystemServiceTests {
    private let configurationFile = "/etc/haproxy/haproxy.cfg"

    /// Gives `body` what makes a driver, as a worker does at its start, and a script of faults for all of them.
    private func withDrivers(
        _ body: (_ make: () async throws -> HAProxyDriver, FaultScript) async throws -> Void
    ) async throws {
        let script = FaultScript()
        try await withDriverMaker { make in try await body({ try await make(script) }, script) }
    }

    /// Gives `body` what makes a driver with a script of faults.
    private func withDriverMaker(
        _ body: (_ make: @escaping (FaultScript) async throws -> HAProxyDriver) async throws -> Void
    ) async throws {
        try await withSystemHAProxy {
            try await withTemporaryFolder { folder in
                var options = HAProxyDriverOptions(
                    service: .debian, stateFolder: folder, log: try LogTarget("127.0.0.1:9 local0"),
                    drainTimeout: try Milliseconds(20_000))
                options.stagingFolder = folder
                // What is interrupted here is the way of a reload.
                options.alwaysReloads = true
                let logger = Logger(label: "driver", factory: { _ in SwiftLogNoOpLogHandler() })
                let readyOptions = options
                try await body { script in
                    let service = FaultyService(readyOptions.makeService(), script)
                    return try await HAProxyDriver(options: readyOptions, service: service, logger: logger)
                }
            }
        }
    }

    @Test("the HAProxy that the package started is taken over, a failing first UPDATE brings its file back")
    func takesOver() async throws {
        try await withDrivers { make, script in
            let packaged = readText(configurationFile)
            #expect(try await run("service", ["haproxy", "start"]).exitCode == 0)
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await make()
            #expect(await code { _ = try await driver.statistics() } == .notRunning)
            let wanted = [try balancer(port: port, [try node.node()])]

            let holder = try PortHolder(port: port)
            let error = try await #require(throws: DriverError.self) { try await driver.update(wanted) }
            #expect(error.code == .refused && error.message.contains("\(port)"), "\(error.message)")
            #expect(readText(configurationFile) == packaged)
            holder.release()

            try await driver.update(wanted)
            #expect(await names(at: port) == ["a"])
            #expect(try await driver.statistics()[0].nodes.map(\.isUp) == [true])
            let text = readText(configurationFile)
            script.become(.fail(Interruption.Call.allCases))
            try await driver.update(wanted)
            try await make().update(wanted)
            #expect(readText(configurationFile) == text)
        }
    }

    @Test("a backup that root has removed or replaced is not restored: the file is written anew")
    func backupLost() async throws {
        try await withDrivers { make, script in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let driver = try await make()
            try await driver.update([try balancer(port: port, [try a.node()])])
            let text = readText(configurationFile)
            for replacement in [nil, "global\n"] {
                script.become(.wait(before: .reload))
                let update = Task { try await driver.update([try balancer(port: port, [try b.node()])]) }
                try await script.reached()
                let backup = configurationFile + ".libra-backup"
                #expect(readText(backup) == text)
                if let replacement { try writeText(replacement, to: backup) } else { unlink(backup) }
                // So that the reload fails.
                try writeText("nonsense\n", to: configurationFile)
                script.goOn()
                _ = try await #require(throws: DriverError.self) { try await update.value }
                #expect(readText(configurationFile) == text)
                #expect(await names(at: port) == ["a"])
            }
        }
    }

    @Test("a worker that vanishes amid an UPDATE leaves what was served, and the next one sees to it")
    func vanishes() async throws {
        try await withDriverMaker { makeWith in
            func make() async throws -> HAProxyDriver { try await makeWith(FaultScript()) }
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let (old, new) = ([try balancer(port: port, [try a.node()])], [try balancer(port: port, [try b.node()])])
            try await make().update(old)
            let text = readText(configurationFile)
            // Before and after each of: staging, check, backup, installation, reload.
            for number in 1...10 {
                // Of its own: what an earlier driver does late is no step of this one.
                let script = FaultScript()
                let victim = try await makeWith(script)
                script.become(.vanish(at: number))
                Task {
                    _ = try? await victim.update(new)
                    script.finish()
                }
                try await script.reached()
                let driver = try await make()
                // A process that has the new state stops listening when it is told to, which nobody waits for.
                try await eventually("the old state, \(number)") { await names(at: port) == ["a"] }
                #expect(readText(configurationFile) == text, "\(number)")
                #expect(try await driver.statistics()[0].nodes.map(\.node.description) == ["a"], "\(number)")
            }
            let driver = try await make()
            try await driver.update(new)
            #expect(await names(at: port) == ["b"])
            try await driver.suspend()
            try await untilRefused(port: port)
            try await driver.delete()
            #expect(!exists(configurationFile))
            #expect(await code { try await driver.ping() } == .notRunning)
            try await driver.update(old)
            #expect(await names(at: port) == ["a"])
            try await driver.delete()
        }
    }

    @Test("METRICS has the last bytes of a connection that ends in a process which `-sf` has replaced")
    func draining() async throws {
        try await withDrivers { make, _ in
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await make()
            try await driver.update([try balancer(.tcp, port: port, [try node.node()])])
            let client = try SlowClient(port: port)
            try await eventually("the connection is served") {
                try await driver.statistics()[0].nodes[0].sessions == 1
            }
            // A new listener is a reload.
            let other = try balancer(.tcp, id: "2", port: try freePort(), [try node.node()])
            try await driver.update([try balancer(.tcp, port: port, [try node.node()]), other])
            let bytes = UInt64(await client.finish())
            #expect(bytes > 0)
            var reported: UInt64 = 0
            try await eventually("every byte is reported") {
                reported += try await driver.traffic(for: nil).rows.reduce(0) { $0 + $1.traffic.bytesOut }
                return reported >= bytes
            }
            #expect(reported == bytes)
            try await driver.delete()
        }
    }
}
