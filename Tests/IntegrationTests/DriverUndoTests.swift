import Glibc
import HAProxy
import LoadBalancing
import SystemPackage
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// Undoing although something else goes wrong meanwhile.
@Suite struct DriverUndoTests {
    @Test("a backup that is gone or of another file is not restored: the file is written anew")
    func backupLost() async throws {
        for isGone in [true, false] {
            try await withDriverStand { stand in
                let (a, b) = (try NamedNode("a"), try NamedNode("b"))
                let port = try freePort()
                let script = FaultScript()
                let driver = try await stand.driver(alwaysReloads: true) { FaultyService($0, script) }
                try await driver.update([try balancer(port: port, [try a.node()])])
                let file = stand.configuration
                script.become(.wait(before: .reload))
                let update = Task { try await driver.update([try balancer(port: port, [try b.node()])]) }
                try await script.reached()
                let holder = stand.service.backupFile.string
                if isGone { unlink(holder) } else { try writeText("global\n", to: holder) }
                // So that the reload fails.
                try await stand.service.stage("nonsense")
                try await stand.service.installStaged()
                script.goOn()
                _ = try await #require(throws: DriverError.self) { try await update.value }
                #expect(stand.configuration == file)
                #expect(!stand.hasPendingChange)
                #expect(await names(at: port) == ["a"])
            }
        }
    }

    @Test("a file that nobody knows any more is not replaced by another one, nor removed; the error says so")
    func backupUnknown() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            // Somebody else's configuration, from before the first UPDATE.
            try await stand.service.install("global\n")
            let script = FaultScript(.wait(before: .start))
            let driver = try await stand.driver { FaultyService($0, script) }
            let wanted = [try balancer(port: port, [try node.node()])]
            let update = Task { try await driver.update(wanted) }
            try await script.reached()
            let holder = try PortHolder(port: port)
            unlink(stand.service.backupFile.string)
            script.goOn()
            let error = try await #require(throws: DriverError.self) { try await update.value }
            #expect(error.message.contains("could not be restored"), "\(error.message)")
            #expect(error.message.contains("the backup \(stand.service.backupFile) is gone"), "\(error.message)")
            #expect(stand.configuration.contains("\(port)"))
            holder.release()
            script.become(.none)
            try await driver.update(wanted)
            #expect(await names(at: port) == ["a"])
            #expect(!stand.hasPendingChange)
        }
    }

    @Test("a change that could not be undone is undone by the next reconciliation that repairs, and by no other")
    func leftOver() async throws {
        for mode in HAProxyDriverOptions.Reconciliation.allCases {
            try await withDriverStand { stand in
                let (a, b) = (try NamedNode("a"), try NamedNode("b"))
                let port = try freePort()
                let script = FaultScript()
                let driver = try await stand.driver(alwaysReloads: true, reconciliation: mode) {
                    FaultyService($0, script)
                }
                try await driver.update([try balancer(port: port, [try a.node()])])
                let file = stand.configuration
                script.become(.fail([.reload, .restore]))
                #expect(await code { try await driver.update([try balancer(port: port, [try b.node()])]) } == .storage)
                #expect(stand.hasPendingChange)
                script.become(.none)
                await driver.reconcile()
                #expect(stand.hasPendingChange == (mode != .repair))
                #expect((stand.configuration == file) == (mode == .repair))
                #expect(await names(at: port) == ["a"])
            }
        }
    }
}
