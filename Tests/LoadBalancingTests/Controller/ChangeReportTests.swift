import LoadBalancing
import Testing

@Suite("Reports of changes") struct ChangeReportTests {
    private let update = """
        {"hpcs_action": "UPDATE", "hpcs_object_store_token": "secret", "loadBalancers": [
            {"id": "15", "protocol": "HTTP", "nodes": [{"id": "1", "address": "10.0.0.1", "port": 80}]},
            {"protocol": "TCP", "port": 99, "nodes": [{"id": "1", "address": "10.0.0.1", "port": 80}]}]}
        """

    @Test("a change is reported with its job, its balancers and what was done")
    func change() async throws {
        let harness = Harness()
        let job = JobIdentity(server: "queue:4730", handle: "H:queue:7", unique: "u")
        _ = await harness.controller.reply(to: Array(update.utf8), delivery: JobDelivery(job: job, number: 1))
        let report = try #require(harness.reports.all.first)
        #expect(report.action == .update)
        #expect(report.job == job)
        #expect(report.balancers.map(\.description) == ["http-15", "tcp"])
        #expect(report.error == nil)
        #expect(report.summary?.steps.map(\.text) == ["add x/y"])
        #expect(report.isWorthTelling)
        #expect(harness.reports.all.count == 1)
    }

    @Test("a change that is there already is not worth telling")
    func sameAgain() async throws {
        let harness = Harness()
        for _ in 1...2 { _ = try await harness.reply(to: update) }
        #expect(harness.reports.all.map(\.isWorthTelling) == [true, false])
    }

    @Test("a change that failed is reported with the reply's reason", arguments: ["SUSPEND", "ENABLE", "DELETE"])
    func failure(action: String) async throws {
        let harness = Harness(driver: StubDriver(failure: DriverError(.notRunning, "HAProxy is not running.")))
        _ = try await harness.reply(to: #"{"hpcs_action": "\#(action)"}"#)
        let report = try #require(harness.reports.all.first)
        #expect(report.action.rawValue == action)
        #expect(report.error == "HAProxy is not running.")
        #expect(report.summary == nil)
        #expect(report.isWorthTelling)
    }

    @Test("an UPDATE that cannot be read is one that failed")
    func invalid() async throws {
        let harness = Harness()
        _ = try await harness.reply(to: #"{"hpcs_action": "UPDATE", "loadBalancers": 7}"#)
        #expect(harness.reports.all.map(\.isWorthTelling) == [true])
        #expect(harness.driver.calls.isEmpty)
    }

    @Test(
        "what asks for no change is not reported",
        arguments: ["DISCOVER", "STATS", "METRICS", "DIAGNOSTICS", "PING", "PLAN", "ARCHIVE", "NONSENSE"])
    func reads(action: String) async throws {
        let harness = Harness()
        _ = try await harness.reply(to: #"{"hpcs_action": "\#(action)"}"#)
        #expect(harness.reports.all.isEmpty)
    }
}
