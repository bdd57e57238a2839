import Glibc
import HAProxy
import LoadBalancing
import Synchronization
import SystemPackage
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// Faults between the steps of a change that HAProxy makes while it runs.
@Suite struct DriverStepFaultTests {
    private let backend: ProxyName

    init() throws { backend = try ProxyName("http-servers") }

    private func node(
        _ id: NodeID, port: LoadBalancing.Port = 1, weight: LoadBalancing.Weight = 1, _ condition: Condition = .enabled
    ) -> Node {
        Node(key: .id(id), address: "127.0.0.1", port: port, weight: weight, condition: condition)
    }

    /// Nodes before and after a change that has a step of every kind; before it all requests go to `old`.
    private func nodes(_ old: NamedNode, _ new: NamedNode) throws -> (before: [Node], after: [Node]) {
        let (old, new) = (try portNumber(old.port), try portNumber(new.port))
        return (
            [node("a", port: old), node("b", port: old), node("c", port: old), node("d", port: old)],
            [
                node("a", port: new), node("b", port: new, weight: 5), node("c", port: old, .disabled),
                node("e", port: new), node("f", port: new),
            ]
        )
    }

    /// Counts the lines that belong to the steps of a change or to what confirms them, and judges one of them.
    private final class Judge: Sendable {
        private let count = Atomic<Int>(0)
        private let number: Int
        private let verdict: @Sendable () -> UnixSocketRelay.Verdict

        init(line number: Int, _ verdict: @escaping @Sendable () -> UnixSocketRelay.Verdict) {
            self.number = number
            self.verdict = verdict
        }

        func callAsFunction(_ line: String) -> UnixSocketRelay.Verdict {
            // What HAProxy is asked before a change names no backend, and servers that leave are deleted behind the reply.
            let isNoStep =
                ["prompt", "show info", "show stat", "del server", "shutdown sessions"].contains { line.hasPrefix($0) }
                || line.split(whereSeparator: \.isWhitespace).joined(separator: " ") == "show servers state"
            guard !isNoStep, count.add(1, ordering: .relaxed).newValue == number else { return .forward }
            return verdict()
        }
    }

    @Test("whichever step HAProxy refuses, those before it are taken back by the same process")
    func refusedAnywhere() async throws {
        try await withDriverStand { stand in
            let (old, new) = (try NamedNode("old"), try NamedNode("new"))
            let (before, after) = try nodes(old, new)
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, before)])
            let (process, file, servers) = (try await stand.processID(), stand.configuration, try await stand.servers())
            var number = 0
            while true {
                number += 1
                let judge = Judge(line: number) { .replace("set weight nobody/nobody 1") }
                let relay = try UnixSocketRelay(at: stand.socket) { judge($0) }
                defer { relay.close() }
                do {
                    try await driver.update([try balancer(port: port, after)])
                    break
                } catch let error as DriverError {
                    #expect(error.code == .refused || error.code == .unavailable, "\(error)")
                    let words = ["No such backend", "'show servers state'"]
                    #expect(words.contains { error.message.contains($0) }, "\(error)")
                }
                try await eventually("step \(number) taken back") { try await stand.servers() == servers }
                #expect(stand.configuration == file)
                #expect(!stand.hasPendingChange)
                #expect(await names(at: port) == ["old"])
            }
            // Two additions, cookies, two moves, a weight, two servers in service, one out of it, one that leaves; a reading.
            #expect(number >= 10)
            #expect(try await stand.processID() == process)
            #expect(await names(at: port) == ["new"])
        }
    }

    @Test("HAProxy killed before any step: the change fails, the old state is served again, and the change can be made")
    func killedAnywhere() async throws {
        try await withDriverStand { stand in
            let (old, new) = (try NamedNode("old"), try NamedNode("new"))
            let (before, after) = try nodes(old, new)
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, before)])
            let (file, servers) = (stand.configuration, try await stand.servers())
            var number = 0
            while true {
                number += 1
                let list = try await stand.service.master.processes()
                // In turns: all of HAProxy, and the worker alone, which its master then does not survive.
                let victims = list.workers.map(\.processID) + (number % 2 == 1 ? [list.master.processID] : [])
                let judge = Judge(line: number) {
                    for victim in victims.reversed() { kill(victim, SIGKILL) }
                    return .end
                }
                let relay = try UnixSocketRelay(at: stand.socket) { judge($0) }
                defer { relay.close() }
                do {
                    try await driver.update([try balancer(port: port, after)])
                    break
                } catch is DriverError {}
                await driver.reconcile()
                #expect(stand.configuration == file)
                #expect(!stand.hasPendingChange)
                #expect(try await stand.servers() == servers)
                #expect(await names(at: port) == ["old"])
            }
            #expect(number >= 10)
            #expect(await names(at: port) == ["new"])
        }
    }

    @Test("a server by hand with the name of a new node: another one takes its place")
    func collision() async throws {
        for mode in HAProxyDriverOptions.Reconciliation.allCases {
            try await withDriverStand { stand in
                let port = try freePort()
                let driver = try await stand.driver(reconciliation: mode)
                try await driver.update([try balancer(port: port, [node("a"), node("b")])])
                let hand = try ServerName("id-c")
                try await stand.runtime.perform([
                    try .addServer(
                        backend, Server(name: hand, address: try Address("127.0.0.1"), port: try HAProxy.Port(9))),
                    .enableServer(backend, hand),
                ])
                let process = try await stand.processID()
                let wanted = [try balancer(port: port, [node("a", weight: 9), node("d"), node("c")])]
                // Nobody knows how the server by hand is checked, so another one takes its place.
                try await driver.update(wanted)
                try await eventually("the wanted servers") {
                    try await stand.servers() == [
                        "http-servers/id-a 127.0.0.1:1 9 ready", "http-servers/id-c.2 127.0.0.1:1 1 ready",
                        "http-servers/id-d 127.0.0.1:1 1 ready",
                    ]
                }
                #expect(try await stand.processID() == process)
            }
        }
    }

    @Test("a state folder that cannot be written: every change fails and names it, and nothing is applied")
    func readOnly() async throws {
        try await withSmallDisk { disk in
            try await withDriverStand(in: disk.path) { stand in
                let name = try NamedNode("a")
                let port = try freePort()
                let driver = try await stand.driver()
                try await driver.update([try balancer(port: port, [try name.node()])])
                let (fingerprint, servers) = (try await stand.fingerprint(), try await stand.servers())
                try disk.setReadOnly(true)
                let wanted = [try balancer(port: port, [try name.node(), node("b")])]
                for change in [
                    { try await driver.update(wanted) }, { try await driver.suspend() },
                    { try await driver.delete() },
                ] as [() async throws -> Void] {
                    let error = try await #require(throws: DriverError.self) { try await change() }
                    #expect(error.code == .storage)
                    #expect(error.message.contains(disk.path) && error.message.contains("Read-only"), "\(error)")
                }
                await driver.reconcile()
                #expect(try await stand.fingerprint() == fingerprint)
                #expect(try await stand.servers() == servers)
                #expect(await names(at: port) == ["a"])
                try disk.setReadOnly(false)
                #expect(!stand.hasPendingChange)
                try await driver.update(wanted)
                #expect(try await stand.servers().count == 2)
            }
        }
    }
}
