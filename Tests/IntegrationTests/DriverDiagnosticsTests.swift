import HAProxy
import LoadBalancing
import Logging
import SystemPackage
import TestServers
import Testing

@testable import LoadBalancingHAProxy

@Suite struct DriverDiagnosticsTests {
    @Test("DIAGNOSTICS finds nothing wrong with a HAProxy that serves, and says what is when it was killed")
    func process() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: try freePort(), [try node.node()])])
            let checks = await driver.checks()
            #expect(
                checks.map(\.name) == [
                    "HAProxy's version", "the configuration", "the Runtime API socket", "the folder \(stand.folder)",
                ])
            #expect(checks.map(\.passed) == [true, true, true, true], "\(checks)")
            let process = try await stand.processID()
            #expect(checks.contains { $0.name == "the Runtime API socket" && $0.detail.contains("\(process)") })
            try await stand.killHAProxy()
            try writeText("nonsense\n", to: stand.configurationFile)
            let failed = await driver.checks().filter { !$0.passed }
            #expect(failed.map(\.name) == ["the configuration", "the Runtime API socket"])
            #expect(failed.first?.detail.contains("nonsense") == true, "\(failed)")
        }
    }

    @Test("DIAGNOSTICS has a row for each command that sudo has to allow, and for the staging folder")
    func sudo() async throws {
        try await withTemporaryFolder { folder in
            var options = HAProxyDriverOptions(
                service: .debian, stateFolder: folder, log: try LogTarget("/nowhere/log local0"),
                drainTimeout: try Milliseconds(1000))
            options.stagingFolder = folder + "/missing"
            options.configurationFile = folder + "/haproxy.cfg"
            options.socket = folder + "/haproxy.sock"
            options.socketAccess = .socat
            let logger = Logger(label: "driver", factory: { _ in SwiftLogNoOpLogHandler() })
            let checks = await (try HAProxyDriver(options: options, logger: logger)).checks()
            let service = SystemService(paths: options.systemPaths)
            let commands = service.sudoCommands + [.socat(to: FilePath(options.socket))]
            #expect(checks.map(\.name).filter { $0.hasPrefix("sudo ") } == commands.map { "sudo \($0)" })
            // Root may run anything.
            #expect(checks.filter { $0.name.hasPrefix("sudo ") && !$0.passed }.isEmpty, "\(checks)")
            let failed = checks.filter { !$0.passed }
            #expect(
                failed.map(\.name) == [
                    "the Runtime API socket", "the folder \(options.stagingFolder)", "HAProxy's log",
                ])
            #expect(failed.dropFirst().first?.detail.contains("No such file or directory") == true, "\(failed)")
        }
    }
}
