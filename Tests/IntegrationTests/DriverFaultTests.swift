import HAProxy
import LoadBalancing
import SystemPackage
import TestServers
import Testing

@testable import LoadBalancingHAProxy

@Suite struct DriverFaultTests {
    /// Makes `body` try a change that fails, and expects that afterwards all is as it was: traffic, process and file.
    private func expectUnchanged(
        _ stand: DriverStand, port: Int, serves name: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async throws -> DriverError {
        let before = (try await stand.fingerprint().process, stand.configuration)
        let load = Task {
            var failures = 0
            while !Task.isCancelled { if await askForName(port: port) != name { failures += 1 } }
            return failures
        }
        let error = try await #require(throws: DriverError.self, sourceLocation: sourceLocation) { try await body() }
        load.cancel()
        #expect(await load.value == 0, sourceLocation: sourceLocation)
        #expect(await names(at: port) == [name], sourceLocation: sourceLocation)
        #expect(try await stand.fingerprint().process == before.0, sourceLocation: sourceLocation)
        #expect(stand.configuration == before.1, sourceLocation: sourceLocation)
        #expect(!stand.hasPendingChange, sourceLocation: sourceLocation)
        return error
    }

    @Test("a configuration that HAProxy refuses leaves everything as it was, and the error has HAProxy's reason")
    func refused() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            try await stand.driver().update([try balancer(port: port, [try a.node()])])
            let refusing = try await stand.driver(log: "192.0.2.1:99999 local0")
            let error = try await expectUnchanged(stand, port: port, serves: "a") {
                try await refusing.update([try balancer(port: port, [try b.node()])])
            }
            #expect(error.code == .refused)
            #expect(error.message.hasPrefix("HAProxy refuses the configuration: "))
            #expect(error.message.contains("99999"), "\(error.message)")
            #expect(readText(stand.service.stagedFile.string).isEmpty)
            let driver = try await stand.driver()
            #expect(try await driver.statistics()[0].nodes.map(\.node.description) == ["a"])
        }
    }

    @Test("a port that another program has, or an address of another host, is refused before traffic notices")
    func taken() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let (port, taken) = (try freePort(), try freePort())
            let holder = try PortHolder(port: taken)
            let driver = try await stand.driver()
            let good = try balancer(id: "1", port: port, [try node.node()])
            try await driver.update([good])
            let inUse = try await expectUnchanged(stand, port: port, serves: "a") {
                try await driver.update([good, try balancer(id: "2", port: taken, [try node.node()])])
            }
            #expect(inUse.code == .refused && inUse.message.contains("http-2"))
            #expect(inUse.message.contains("\(taken)") && inUse.message.contains("in use"))
            let foreign = try await expectUnchanged(stand, port: port, serves: "a") {
                try await driver.update([
                    good, try balancer(id: "3", at: "203.0.113.1", port: try freePort(), [try node.node()]),
                ])
            }
            #expect(foreign.code == .refused && foreign.message.contains("203.0.113.1"))
            holder.release()
            try await driver.update([good, try balancer(id: "2", port: taken, [try node.node()])])
            #expect(await names(at: taken) == ["a"])
        }
    }

    @Test("a port that is taken amid the change is HAProxy's reason, and what served before goes on")
    func takenAmid() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let (port, taken) = (try freePort(), try freePort())
            let script = FaultScript()
            let driver = try await stand.driver(alwaysReloads: true) { FaultyService($0, script) }
            let good = try balancer(id: "1", port: port, [try node.node()])
            let other = try balancer(id: "2", port: taken, [try node.node()])
            try await driver.update([good])
            let before = (try await stand.fingerprint().process, stand.configuration)
            script.become(.wait(before: .reload))
            let update = Task { try await driver.update([good, other]) }
            try await script.reached()
            let holder = try PortHolder(port: taken)
            script.goOn()
            let error = try await #require(throws: DriverError.self) { try await update.value }
            #expect(error.code == .refused)
            #expect(error.message.contains("\(taken)"), "\(error.message)")
            #expect(await names(at: port) == ["a"])
            #expect(try await stand.fingerprint().process == before.0)
            #expect(stand.configuration == before.1)
            #expect(!stand.hasPendingChange)
            holder.release()
            script.become(.none)
            try await driver.update([good, other])
            #expect(await names(at: taken) == ["a"])
        }
    }

    @Test("a first UPDATE that HAProxy cannot start with leaves a host without HAProxy and without a file")
    func firstFails() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let script = FaultScript(.wait(before: .start))
            let driver = try await stand.driver(alwaysReloads: true) { FaultyService($0, script) }
            let wanted = [try balancer(port: port, [try node.node()])]
            let update = Task { try await driver.update(wanted) }
            try await script.reached()
            let holder = try PortHolder(port: port)
            script.goOn()
            let error = try await #require(throws: DriverError.self) { try await update.value }
            #expect(error.code == .refused && error.message.contains("\(port)"), "\(error.message)")
            #expect(stand.configuration.isEmpty && !stand.hasPendingChange)
            #expect(try await !stand.service.isRunning())
            #expect(await code { _ = try await driver.statistics() } == .notRunning)
            holder.release()
            try await driver.update(wanted)
            #expect(await names(at: port) == ["a"])
        }
    }

    @Test("a host name without an address is refused, and its node named")
    func unresolvable() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, [try node.node()])])
            let lost = Node(key: .id("lost"), address: "nothing.invalid", port: 80)
            let error = try await expectUnchanged(stand, port: port, serves: "a") {
                try await driver.update([try balancer(port: port, [try node.node(), lost])])
            }
            #expect(error.code == .invalid)
            #expect(error.message.contains("'nothing.invalid' of http/lost does not resolve"))
            #expect(error.failedNodes.map(\.description) == ["http/lost"])
            try await driver.update([
                try balancer(port: port, [Node(key: .id("n"), address: "localhost", port: try portNumber(node.port))])
            ])
            #expect(await names(at: port) == ["a"])
        }
    }

    @Test("a full disk leaves everything as it was, and one that fills up amid a change does not hinder it")
    func fullDisk() async throws {
        try await withSmallDisk { disk in
            try await withDriverStand(in: disk.path) { stand in
                let (a, b) = (try NamedNode("a"), try NamedNode("b"))
                let port = try freePort()
                let script = FaultScript()
                let driver = try await stand.driver(alwaysReloads: true) { FaultyService($0, script) }
                try await driver.update([try balancer(port: port, [try a.node()])])
                try disk.fill()
                let error = try await expectUnchanged(stand, port: port, serves: "a") {
                    try await driver.update([try balancer(port: port, [try b.node()])])
                }
                #expect(error.code == .storage && error.message.contains("No space left on device"))
                #expect(await code { try await driver.suspend() } == .storage)
                #expect(await names(at: port) == ["a"])

                disk.empty()
                script.become(.wait(before: .reload))
                let update = Task { try await driver.update([try balancer(port: port, [try b.node()])]) }
                try await script.reached()
                try disk.fill()
                script.goOn()
                _ = try await update.value
                #expect(await names(at: port) == ["b"])
                let restarted = try await stand.driver()
                #expect(try await restarted.statistics()[0].nodes.map(\.node.description) == ["b"])
                disk.empty()
            }
        }
    }

    @Test("a backup that cannot be made does not bring back the one before it")
    func backUpFails() async throws {
        try await withDriverStand { stand in
            let nodes = try ["a", "b", "c"].map { try NamedNode($0) }
            let port = try freePort()
            let script = FaultScript()
            let driver = try await stand.driver(alwaysReloads: true) { FaultyService($0, script) }
            try await driver.update([try balancer(port: port, [try nodes[0].node()])])
            try await driver.update([try balancer(port: port, [try nodes[1].node()])])
            script.become(.fail([.backUp]))
            _ = try await expectUnchanged(stand, port: port, serves: "b") {
                try await driver.update([try balancer(port: port, [try nodes[2].node()])])
            }
        }
    }

    @Test("where undoing fails too the error says so, and the next change or the next start goes back to what was good")
    func undoFails() async throws {
        for restarts in [false, true] {
            try await withDriverStand { stand in
                let nodes = try ["a", "b", "c"].map { try NamedNode($0) }
                let port = try freePort()
                func wanted(_ index: Int) throws -> [LoadBalancer] {
                    [try balancer(port: port, [try nodes[index].node()])]
                }
                let script = FaultScript()
                var driver = try await stand.driver(alwaysReloads: true) { FaultyService($0, script) }
                try await driver.update(try wanted(0))
                let good = stand.configuration
                script.become(.fail([.reload, .restore]))
                let error = try await #require(throws: DriverError.self) { try await driver.update(try wanted(1)) }
                #expect(error.message.contains("reload fails") && error.message.contains("restore fails"))
                #expect(await names(at: port) == ["a"])
                #expect(stand.hasPendingChange && stand.configuration != good)
                if restarts {
                    driver = try await stand.driver()
                } else {
                    script.become(.fail([.installStaged]))
                    #expect(await code { try await driver.update(try wanted(2)) } == .storage)
                }
                #expect(await names(at: port) == ["a"])
                #expect(!stand.hasPendingChange && stand.configuration == good)
                #expect(try await driver.statistics()[0].nodes.map(\.node.description) == ["a"])
                script.become(.none)
                try await driver.update(try wanted(2))
                #expect(await names(at: port) == ["c"])
            }
        }
    }

    @Test("a DELETE that cannot stop HAProxy changes nothing; the next start finishes one that cannot remove files")
    func deleteFails() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let script = FaultScript()
            let driver = try await stand.driver(alwaysReloads: true) { FaultyService($0, script) }
            try await driver.update([try balancer(port: port, [try node.node()])])
            script.become(.fail([.stop]))
            _ = try await expectUnchanged(stand, port: port, serves: "a") { try await driver.delete() }
            script.become(.fail([.removeConfiguration]))
            #expect(await code { try await driver.delete() } == .storage)
            #expect(!accepts(port: port))
            let restarted = try await stand.driver()
            #expect(await code { _ = try await restarted.statistics() } == .deleted)
            #expect(stand.configuration.isEmpty && !stand.hasPendingChange)
        }
    }
}
