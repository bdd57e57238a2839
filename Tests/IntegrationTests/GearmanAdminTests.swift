import Gearman
import Glibc
import TestServers
import Testing

@Suite(.timeLimit(.minutes(1))) struct GearmanAdminTests {
    @Test("functions, workers and the version are read from a job server")
    func rows() async throws {
        try await withGearmanServer { server in
            let admin = try Admin(server: local(server.port))
            #expect(try await admin.status() == [])
            #expect(try await admin.version().hasPrefix("1."))
            try await withEcho("first", on: server.port) {
                let client = try Client(servers: [local(server.port)])
                try await client.submitBackground(function: "second", workload: [1])
                let rows = try await admin.status().sorted { $0.function < $1.function }
                #expect(rows.map(\.function) == ["first", "second"])
                #expect(rows.first?.workers ?? 0 >= 1)
                #expect(rows.last?.jobs == 1)
                #expect(rows.last?.running == 0)
                let workers = try await admin.workers()
                #expect(workers.contains { $0.functions == ["first"] && $0.address == "127.0.0.1" })
                #expect(workers.contains { $0.functions.isEmpty && $0.identifier == "-" })
            }
        }
    }

    @Test("a job server that does not answer, or is not there, is told in time")
    func faults() async throws {
        try await withGearmanServer { server in
            server.signal(SIGSTOP)
            defer { server.signal(SIGCONT) }
            let mute = try Admin(server: local(server.port), timeout: .milliseconds(200))
            #expect(await gearmanCode { _ = try await mute.version() } == .timedOut)
            let absent = try Admin(server: local(freePort()))
            #expect(await gearmanCode { _ = try await absent.version() } == .notConnected)
        }
    }
}
