import HAProxy
import LoadBalancing
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// The check of the file that a reply does not wait for.
@Suite struct DriverLateCheckTests {
    @Test("a file that HAProxy refuses behind the reply is taken back, alone or with the changes that came meanwhile")
    func lateRefusal() async throws {
        for changes in 1...2 {
            try await withDriverStand { stand in
                let nodes = try ["a", "b", "c"].map { try NamedNode($0) }
                let port = try freePort()
                let script = FaultScript()
                let driver = try await stand.driver { FaultyService($0, script) }
                try await driver.update([try balancer(port: port, [try nodes[0].node()])])
                let (process, file) = (try await stand.processID(), stand.configuration)
                script.become(.refuse("id-b"))
                for count in 2...(changes + 1) {
                    try await driver.update([try balancer(port: port, try nodes[..<count].map { try $0.node() })])
                }
                try await eventually("the refusal") { script.isReached }
                try await eventually("the last good state") { stand.configuration == file }
                try await eventually { await names(at: port) == ["a"] }
                #expect(try await driver.statistics()[0].nodes.map(\.node.description) == ["a"])
                #expect(try await stand.processID() == process)
                #expect(!stand.hasPendingChange)
                script.become(.none)
                try await driver.update([try balancer(port: port, [try nodes[2].node()])])
                #expect(await names(at: port) == ["c"])
            }
        }
    }

    @Test("a change that makes the file good again before it is checked stands")
    func lateRefusalOvertaken() async throws {
        try await withDriverStand { stand in
            let nodes = try ["a", "b", "c"].map { try NamedNode($0) }
            let port = try freePort()
            let script = FaultScript()
            let driver = try await stand.driver { FaultyService($0, script) }
            try await driver.update([try balancer(port: port, [try nodes[0].node()])])
            script.become(.refuse("id-b"))
            try await driver.update([try balancer(port: port, [try nodes[1].node()])])
            try await driver.update([try balancer(port: port, [try nodes[2].node()])])
            try await eventually("the check") {
                script.interruptions.contains { $0.call == .check && $0.isAfter }
            }
            #expect(await names(at: port) == ["c"])
            #expect(try await driver.statistics()[0].nodes.map(\.node.description) == ["c"])
        }
    }

    @Test("the pause before a check is a second, or nine times what the last one took")
    func pace() {
        var check = LateCheck()
        #expect(check.pause == .seconds(1))
        check.took(.milliseconds(400))
        #expect(check.pause == .milliseconds(3600))
        check.passed()
        #expect(check.pause == .milliseconds(3600))
        check.took(.milliseconds(20))
        #expect(check.pause == .seconds(1))
    }

    @Test("changes that come during a check get one more, after a pause")
    func checkedAgain() async throws {
        try await withDriverStand { stand in
            let nodes = try ["a", "b", "c", "d"].map { try NamedNode($0) }
            let port = try freePort()
            let script = FaultScript()
            let driver = try await stand.driver { FaultyService($0, script) }
            func begun() -> Int { script.interruptions.count { $0.call == .check && !$0.isAfter } }
            try await driver.update([try balancer(port: port, [try nodes[0].node()])])
            script.become(.wait(before: .check))
            try await driver.update([try balancer(port: port, [try nodes[1].node()])])
            try await script.reached()
            for node in nodes[2...] { try await driver.update([try balancer(port: port, [try node.node()])]) }
            #expect(begun() == 1)
            let end = ContinuousClock.now
            script.goOn()
            // Nine times as long as the first, which all of this has held up.
            try await eventually(within: .seconds(120), "the last check") { begun() == 2 }
            #expect(ContinuousClock.now - end >= .seconds(1))
            #expect(await names(at: port) == ["d"])
        }
    }

    @Test("changes that come faster than the checks: those before the one that HAProxy refuses stay")
    func steadyChanges() async throws {
        try await withDriverStand { stand in
            let nodes = try ["a", "b", "c", "d"].map { try NamedNode($0) }
            let port = try freePort()
            let script = FaultScript()
            let driver = try await stand.driver { FaultyService($0, script) }
            func update(_ node: NamedNode) async throws {
                try await driver.update([try balancer(port: port, [try node.node()])])
            }
            try await update(nodes[0])
            script.become(.wait(before: .check))
            try await update(nodes[1])
            try await script.reached()
            // While the first is checked, the next one comes; then both of the last are refused.
            try await update(nodes[2])
            let file = stand.configuration
            script.goOn()
            try await eventually(within: .seconds(120), "the checks") {
                script.interruptions.count { $0 == .init(call: .check, isAfter: true) } == 2
            }
            script.become(.refuse("id-d"))
            try await update(nodes[3])
            try await eventually(within: .seconds(60), "the last good state") {
                try await driver.statistics()[0].nodes.map(\.node.description) == ["c"]
            }
            #expect(stand.configuration == file)
        }
    }

    @Test("a check that passes when another change is there already makes its own state the last good one")
    func lastGood() throws {
        let states = try (1...4).map { number in
            let node = Node(key: .id("n"), address: "127.0.0.1", port: try portNumber(number))
            return HostState(phase: .active, balancers: [try balancer(port: 80, [node])])
        }
        var check = LateCheck()
        // Of the state that a worker finds at its start nobody knows.
        check.changed(from: states[0])
        #expect(check.isDue && check.lastGood == nil)
        check.accepted(states[1], after: nil)
        #expect(check.lastGood == states[1])
        // Meanwhile a reload had a later one checked.
        check.passed()
        check.changed(from: states[2])
        check.accepted(states[1], after: states[1])
        #expect(check.lastGood == states[2])
    }

    @Test("the file of a worker that ended before it was checked is checked by the next; a refusal is logged")
    func checkedAtStart() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            try await stand.driver().update([try balancer(port: port, [try a.node()])])
            let script = FaultScript()
            script.become(.refuse("id-a"))
            let log = LogRecorder()
            let driver = try await stand.driver(logger: log.logger) { FaultyService($0, script) }
            try await eventually("the error") {
                log.messages.contains { $0.contains("HAProxy refuses the file of the current state") }
            }
            #expect(await names(at: port) == ["a"])
            try await driver.update([try balancer(port: port, [try b.node()])])
            #expect(await names(at: port) == ["b"])
        }
    }

    @Test("a DELETE before the check of a change behind its reply stays a DELETE")
    func deletedBeforeCheck() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, [try node.node()])])
            try await driver.update([try balancer(port: port, [try node.node(.disabled)])])
            try await driver.delete()
            try await Task.sleep(for: .milliseconds(1500))
            #expect(await code { _ = try await driver.statistics() } == .deleted)
            #expect(stand.configuration.isEmpty)
            #expect(try await !stand.service.isRunning())
        }
    }

    @Test("a file that somebody broke by hand behind a reply takes no change back")
    func brokenByHand() async throws {
        try await withDriverStand { stand in
            let (a, b) = (try NamedNode("a"), try NamedNode("b"))
            let port = try freePort()
            let script = FaultScript()
            let driver = try await stand.driver { FaultyService($0, script) }
            try await driver.update([try balancer(port: port, [try a.node()])])
            script.become(.none)
            try await driver.update([try balancer(port: port, [try b.node()])])
            try await stand.service.install("nonsense\n")
            try await eventually("the check") { script.interruptions.contains { $0.call == .check } }
            try await Task.sleep(for: .milliseconds(200))
            #expect(stand.configuration == "nonsense\n")
            #expect(try await driver.statistics()[0].nodes.map(\.node.description) == ["b"])
            await driver.reconcile()
            #expect(stand.configuration.contains("id-b"))
            #expect(await names(at: port) == ["b"])
        }
    }
}
