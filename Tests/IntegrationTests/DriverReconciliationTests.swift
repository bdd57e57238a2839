import HAProxy
import LoadBalancing
import TestServers
import Testing

@testable import LoadBalancingHAProxy

/// Comparing what runs with what was last asked for, and putting it right.
@Suite struct DriverReconciliationTests {
    @Test("what somebody changed by hand is repaired, only reported, or left alone, as the settings say")
    func reconciliation() async throws {
        for mode in HAProxyDriverOptions.Reconciliation.allCases {
            try await withDriverStand { stand in
                let driver = try await stand.driver(reconciliation: mode)
                try await driver.update([try balancer(port: try freePort(), [node("a"), node("b")])])
                let (process, before) = (try await stand.processID(), try await stand.servers())
                await driver.reconcile()
                let file = stand.configuration
                let backend = try ProxyName("http-servers")
                try await stand.runtime.perform([
                    .setWeight(backend, try ServerName("id-a"), try Weight(99)),
                    .setServerState(backend, try ServerName("id-b"), .drain),
                    try .addServer(
                        backend,
                        Server(name: try ServerName("hand"), address: try Address("127.0.0.1"), port: try Port(9))),
                ])
                try await stand.service.install(file + "# by hand\n")
                let changed = try await stand.servers()
                await driver.reconcile()
                if mode == .repair {
                    try await eventually { try await stand.servers() == before }
                    #expect(stand.configuration == file)
                } else {
                    #expect(try await stand.servers() == changed)
                    #expect(stand.configuration != file)
                }
                #expect(try await stand.processID() == process)
            }
        }
    }

    @Test("checks that were stopped or led elsewhere by hand, and limits, are put right by the same process")
    func reconcilesChecks() async throws {
        try await withDriverStand { stand in
            let nodes = try ["a", "b", "c"].map { try NamedNode($0) }
            let port = try freePort()
            let driver = try await stand.driver()
            try await driver.update([try balancer(port: port, try nodes.map { try $0.node() })])
            let process = try await stand.processID()
            let backend = try ProxyName("http-servers")
            let (a, b, c) = (try ServerName("id-a"), try ServerName("id-b"), try ServerName("id-c"))
            try await stand.runtime.perform([
                .disableHealth(backend, a), .setMaxconnServer(backend, a, try Count(1)),
                .setCheckPort(backend, b, try Port(1)), try .setCheckAddress(backend, c, try Address("127.0.0.9")),
            ])
            await driver.reconcile()
            try await eventually("the end of the servers that were replaced") {
                try await stand.servers().count == nodes.count
            }
            for row in try await stand.runtime.serversState().rows {
                #expect(row.isChecked && row.checkPort == 0 && row.checkAddress == nil)
            }
            let rows = try await stand.runtime.statistics(kinds: .servers).rows
            #expect(rows.allSatisfy { $0.sessionLimit == nil })
            #expect(await names(at: port) == ["a", "b", "c"])
            #expect(try await stand.processID() == process)
            await driver.reconcile()
            #expect(try await stand.runtime.serversState().rows.map(\.name).sorted() == ["id-a", "id-b.2", "id-c.2"])
        }
    }

    @Test("reconciliation starts a HAProxy that is gone, and makes a frontend listen again")
    func reconcilesProcess() async throws {
        try await withDriverStand { stand in
            let node = try NamedNode("a")
            let port = try freePort()
            let driver = try await stand.driver()
            await driver.reconcile()
            #expect(try await !stand.service.isRunning())
            try await driver.update([try balancer(port: port, [try node.node()])])
            try await stand.runtime.perform(.disableFrontend(try ProxyName("http-in")))
            #expect(!accepts(port: port))
            await driver.reconcile()
            #expect(await names(at: port) == ["a"])
            try await stand.killHAProxy()
            await driver.reconcile()
            #expect(await names(at: port) == ["a"])
        }
    }
}
