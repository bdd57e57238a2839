import HAProxy
import LoadBalancing
import SystemPackage
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// A worker that is gone in the midst of a change, at every step that the change has; then another one starts.
@Suite struct DriverCrashTests {
    /// Runs a change again and again, each time in a folder of its own with a worker that vanishes one step later, and
    /// checks what has to hold when the next worker has started.
    ///
    /// Calls of the kind `failing` do their work and then fail, so that the change is undone. What is returned are the
    /// steps at which the worker vanished.
    private func vanishing(
        failing: Interruption.Call? = nil,
        prepare: (HAProxyDriver) async throws -> Void,
        change: @escaping @Sendable (HAProxyDriver) async throws -> Void,
        check: (DriverStand, HAProxyDriver, Interruption) async throws -> Void
    ) async throws -> [Interruption] {
        var steps: [Interruption] = []
        while true {
            let isOver = try await withDriverStand { stand in
                let script = FaultScript()
                let victim = try await stand.driver(alwaysReloads: true) { FaultyService($0, script) }
                try await prepare(victim)
                let number = steps.count + 1
                script.become(failing.map { .failThenVanish($0, at: number) } ?? .vanish(at: number))
                let end = Task {
                    try? await change(victim)
                    script.finish()
                }
                try await script.reached()
                guard let step = script.interruptions.last, script.interruptions.count > steps.count else {
                    await end.value
                    return true
                }
                steps.append(step)
                try await check(stand, try await stand.driver(), step)
                return false
            }
            if isOver { return steps }
        }
    }

    /// Expects a host that agrees with itself: what serves, the file and the memory are one, and nothing is under way.
    private func expectConsistent(
        _ stand: DriverStand, _ driver: HAProxyDriver, port: Int, serves name: String, _ step: Interruption
    ) async throws {
        #expect(await names(at: port) == [name], "\(step)")
        #expect(try await driver.statistics()[0].nodes.map(\.node.description) == [name], "\(step)")
        try await stand.service.check(configurationAt: stand.service.configurationFile)
        #expect(!stand.hasPendingChange, "\(step)")
        #expect(readText(stand.service.stagedFile.string).isEmpty, "\(step)")
    }

    @Test("an UPDATE: the old state is served, and sending the UPDATE again makes the new one")
    func update() async throws {
        let (a, b) = (try NamedNode("a"), try NamedNode("b"))
        let (port, other) = (try freePort(), try freePort())
        let old = [try balancer(id: "1", port: port, [try a.node()])]
        let new = [
            try balancer(id: "1", port: port, [try b.node()]), try balancer(id: "2", port: other, [try b.node()]),
        ]
        let steps = try await vanishing(prepare: { try await $0.update(old) }, change: { try await $0.update(new) }) {
            stand, driver, step in
            try await expectConsistent(stand, driver, port: port, serves: "a", step)
            let before = try await stand.fingerprint()
            try await driver.update(old)
            #expect(try await stand.fingerprint() == before, "\(step)")
            try await driver.update(new)
            #expect(await names(at: port) == ["b"], "\(step)")
            #expect(await names(at: other) == ["b"], "\(step)")
        }
        for call in [Interruption.Call.stage, .check, .backUp, .installStaged, .reload] {
            #expect(steps.filter { $0.call == call }.count == 2)
        }
    }

    @Test("the first UPDATE: the host is as before it, and sending the UPDATE again makes the new state")
    func firstUpdate() async throws {
        let node = try NamedNode("a")
        let port = try freePort()
        let wanted = [try balancer(port: port, [try node.node()])]
        let steps = try await vanishing(prepare: { _ in }, change: { try await $0.update(wanted) }) {
            stand, driver, step in
            #expect(!accepts(port: port), "\(step)")
            #expect(await code { _ = try await driver.statistics() } == .notRunning, "\(step)")
            #expect(stand.configuration.isEmpty && !stand.hasPendingChange, "\(step)")
            try await driver.update(wanted)
            try await expectConsistent(stand, driver, port: port, serves: "a", step)
        }
        #expect(steps.contains { $0.call == .start && $0.isAfter })
    }

    @Test("an UPDATE that fails, and is being undone: the old state is served")
    func undoing() async throws {
        let (a, b) = (try NamedNode("a"), try NamedNode("b"))
        let port = try freePort()
        let old = [try balancer(port: port, [try a.node()])]
        let new = [try balancer(port: port, [try b.node()])]
        let steps = try await vanishing(
            failing: .reload, prepare: { try await $0.update(old) }, change: { try await $0.update(new) },
            check: { stand, driver, step in
                try await expectConsistent(stand, driver, port: port, serves: "a", step)
            })
        #expect(steps.filter { $0.call == .restore }.count == 2)
        #expect(steps.filter { $0.call == .reload }.count >= 3)
    }

    @Test("SUSPEND and ENABLE: traffic goes on as before, and the action can be sent again")
    func suspend() async throws {
        let node = try NamedNode("a")
        let port = try freePort()
        let wanted = [try balancer(port: port, [try node.node()])]
        _ = try await vanishing(prepare: { try await $0.update(wanted) }, change: { try await $0.suspend() }) {
            stand, driver, step in
            try await expectConsistent(stand, driver, port: port, serves: "a", step)
            try await driver.suspend()
            try await untilRefused(port: port, "\(step)")
        }
        _ = try await vanishing(
            prepare: { driver in
                try await driver.update(wanted)
                try await driver.suspend()
            },
            change: { try await $0.enable() },
            check: { stand, driver, step in
                try await untilRefused(port: port, "\(step)")
                #expect(!stand.hasPendingChange, "\(step)")
                try await driver.enable()
                try await expectConsistent(stand, driver, port: port, serves: "a", step)
            })
    }

    @Test("DELETE: it is finished, and an UPDATE starts afresh")
    func delete() async throws {
        let node = try NamedNode("a")
        let port = try freePort()
        let wanted = [try balancer(port: port, [try node.node()])]
        let steps = try await vanishing(prepare: { try await $0.update(wanted) }, change: { try await $0.delete() }) {
            stand, driver, step in
            #expect(!accepts(port: port), "\(step)")
            #expect(await code { _ = try await driver.statistics() } == .deleted, "\(step)")
            #expect(stand.configuration.isEmpty && !stand.hasPendingChange, "\(step)")
            try await driver.update(wanted)
            try await expectConsistent(stand, driver, port: port, serves: "a", step)
        }
        #expect(steps.contains { $0.call == .removeConfiguration && $0.isAfter })
    }
}
