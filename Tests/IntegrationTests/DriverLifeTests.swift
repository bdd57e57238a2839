import HAProxy
import LoadBalancing
import SystemPackage
import TestServers
import Testing

@testable import LoadBalancingHAProxy

@Suite struct DriverLifeTests {
    @Test("SUSPEND refuses connections, over a restart of the worker and an UPDATE, until ENABLE")
    func suspend() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            var driver = try await stand.driver()
            try await driver.update([try balancer(port: port, [try a.node()])])
            try await driver.suspend()
            try await untilRefused(port: port)
            #expect(try await driver.statistics()[0].nodes.map(\.isUp) == [false])
            try await driver.ping()
            let suspended = try await stand.fingerprint()
            try await driver.suspend()
            driver = try await stand.driver()
            #expect(try await stand.fingerprint() == suspended)
            try await driver.update([try balancer(port: port, [try b.node()])])
            #expect(!accepts(port: port))
            try await driver.enable()
            #expect(await names(at: port) == ["b"])
            let enabled = try await stand.fingerprint()
            try await driver.enable()
            #expect(try await stand.fingerprint() == enabled)
        }
    }

    @Test("SUSPEND while HAProxy is not running starts it without listeners")
    func suspendKilled() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, [try node.node()])])
            try await stand.killHAProxy()
            try await driver.suspend()
            #expect(!accepts(port: port))
            try await driver.ping()
            try await driver.enable()
            #expect(await names(at: port) == ["a"])
        }
    }

    @Test("DELETE stops HAProxy and removes its files; reads say so, also after a restart, and an UPDATE starts afresh")
    func delete() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            var driver = try await stand.driver()
            let wanted = [try balancer(port: port, [try node.node()])]
            try await driver.update(wanted)
            try await driver.suspend()
            for _ in 1...2 {
                try await driver.delete()
                #expect(!accepts(port: port))
                #expect(stand.configuration.isEmpty)
                #expect(readText(stand.service.backupFile.string).isEmpty)
                #expect(try await !stand.service.isRunning())
                #expect(await code { _ = try await driver.statistics() } == .deleted)
                #expect(await code { try await driver.suspend() } == .deleted)
                #expect(await code { try await driver.ping() } == .notRunning)
                driver = try await stand.driver()
            }
            try await driver.update(wanted)
            #expect(await names(at: port) == ["a"])
        }
    }

    @Test("before the first UPDATE nothing runs, and every action but UPDATE and DELETE says so")
    func fresh() async throws {
        try await withDriverStand { stand in
            let driver = try await stand.driver()
            #expect(await code { _ = try await driver.statistics() } == .notRunning)
            #expect(await code { try await driver.suspend() } == .notRunning)
            #expect(await code { try await driver.enable() } == .notRunning)
            #expect(await code { try await driver.ping() } == .notRunning)
            try await driver.delete()
            #expect(await code { _ = try await driver.statistics() } == .deleted)
        }
    }

    @Test("a worker that starts anew adopts the HAProxy that runs, and traffic does not notice")
    func adopts() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            try await stand.driver().update([try balancer(port: port, [try node.node()])])
            let before = try await stand.fingerprint()
            let load = Task {
                var answers: [String: Int] = [:]
                while !Task.isCancelled { answers[await askForName(port: port) ?? "-", default: 0] += 1 }
                return answers
            }
            for _ in 1...5 {
                let driver = try await stand.driver()
                #expect(try await driver.statistics()[0].nodes.map(\.isUp) == [true])
            }
            load.cancel()
            #expect(await Set(load.value.keys) == ["a"])
            #expect(try await stand.fingerprint() == before)
        }
    }

    @Test("HAProxy killed: reads say that it is not running, and the same UPDATE starts it")
    func killed() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver()
            let wanted = [try balancer(port: port, [try node.node()])]
            try await driver.update(wanted)
            try await stand.killHAProxy()
            let statistics = try await #require(throws: DriverError.self) { try await driver.statistics() }
            #expect(statistics.message == "HAProxy is not running.")
            let ping = try await #require(throws: DriverError.self) { try await driver.ping() }
            #expect(ping.message == "HAProxy is not running.")
            try await driver.update(wanted)
            #expect(await names(at: port) == ["a"])
        }
    }

    @Test("HAProxy killed while the worker was away: the next start brings it back, its file lost or not")
    func killedWhileAway() async throws {
        for isFileLost in [false, true] {
            try await withDriverStand { stand in
                let node = try NamedNode("a")
                let port = try freePort()
                try await stand.driver().update([try balancer(port: port, [try node.node()])])
                try await stand.killHAProxy()
                if isFileLost { try await stand.service.removeConfiguration() }
                let driver = try await stand.driver()
                #expect(await names(at: port) == ["a"])
                #expect(try await driver.statistics()[0].nodes.map(\.isUp) == [true])
            }
        }
    }

    @Test("a worker starts although HAProxy cannot, and an UPDATE mends it")
    func startsWithoutHAProxy() async throws {
        try await withDriverStand { stand in
            let (node, other) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            try await stand.driver().update([try balancer(port: port, [try node.node()])])
            try await stand.killHAProxy()
            let squatter = try PortHolder(port: port)
            let driver = try await stand.driver()
            #expect(await code { _ = try await driver.statistics() } == .notRunning)
            squatter.release()
            let another = try freePort()
            try await driver.update([try balancer(port: another, [try other.node()])])
            #expect(await names(at: another) == ["b"])
        }
    }

    @Test("PING, STATS and DISCOVER answer while an UPDATE is under way")
    func readsPass() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            try await stand.driver().update([try balancer(port: try freePort(), [try node.node()])])
            let script = FaultScript(.wait(before: .reload))
            let driver = try await stand.driver(alwaysReloads: true) { FaultyService($0, script) }
            let update = Task { try await driver.update([try balancer(port: try freePort(), [try node.node()])]) }
            try await script.reached()
            try await driver.ping()
            #expect(try await driver.statistics()[0].nodes.count == 1)
            #expect(try await driver.version().version.first?.isNumber == true)
            script.goOn()
            _ = try await update.value
        }
    }
}

/// The code of the error that `body` throws; nil when it throws none.
func code(_ body: () async throws -> Void) async -> DriverError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? DriverError)?.code
    }
}
