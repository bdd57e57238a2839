import CivilTime
import LoadBalancing
import Synchronization

/// A driver that keeps what it was asked, and fails when it is told to.
final class StubDriver: Driver {
    struct State {
        var calls: [String] = []
        var balancers: [LoadBalancer] = []
        var failure: DriverError?
        var statistics: [BalancerStatistics] = []
        var report: TrafficReport?
        var conditions: [NodeReference: Condition] = [:]
    }

    let state = Mutex(State())

    /// Runs inside every change, before it is done.
    let duringChange: @Sendable (String) async -> Void

    init(failure: DriverError? = nil, duringChange: @escaping @Sendable (String) async -> Void = { _ in }) {
        self.duringChange = duringChange
        state.withLock { $0.failure = failure }
    }

    var calls: [String] { state.withLock { $0.calls } }

    func update(_ balancers: [LoadBalancer]) async throws(DriverError) -> ChangeSummary {
        try await change("update " + balancers.map(\.key.description).joined(separator: " "))
        return state.withLock {
            let isChange = $0.balancers != balancers
            $0.balancers = balancers
            return ChangeSummary(
                isChange: isChange, balancers: balancers.map(\.key), steps: [ChangePlan.Step(.add, "add x/y")],
                otherConditions: $0.conditions)
        }
    }

    func suspend() async throws(DriverError) -> ChangeSummary { try await change("suspend") }

    func enable() async throws(DriverError) -> ChangeSummary { try await change("enable") }

    func delete() async throws(DriverError) -> ChangeSummary { try await change("delete") }

    func plan(_ balancers: [LoadBalancer]) async throws(DriverError) -> ChangePlan {
        try record("plan " + balancers.map(\.key.description).joined(separator: " "))
        let step = ChangePlan.Step(.change, "set the weight of x/y to 2")
        return ChangePlan(reloadReasons: [], steps: [step], configuration: "global\n")
    }

    func statistics() async throws(DriverError) -> [BalancerStatistics] {
        try record("statistics")
        return state.withLock { $0.statistics }
    }

    func traffic(for delivery: JobDelivery?) async throws(DriverError) -> TrafficReport {
        try record("traffic \(delivery?.job.handle ?? "-")")
        return state.withLock { $0.report }
            ?? TrafficReport(start: UTCTime(microseconds: 0), end: UTCTime(microseconds: 1), rows: [])
    }

    func settleTraffic(of delivery: JobDelivery, wasDelivered: Bool) async {
        state.withLock { $0.calls.append("settle \(delivery.job.handle) \(wasDelivered)") }
    }

    func version() async throws(DriverError) -> DriverVersion {
        try record("version")
        return DriverVersion(version: "2.6", release: "2.6.12-1+deb12u4")
    }

    func ping() async throws(DriverError) { try record("ping") }

    func checks() async -> [DiagnosticCheck] {
        [
            DiagnosticCheck(name: "HAProxy", passed: true, detail: "2.6.12"),
            DiagnosticCheck(name: "socket", passed: false, detail: "no such file: start HAProxy"),
        ]
    }

    @discardableResult
    private func change(_ call: String) async throws(DriverError) -> ChangeSummary {
        await duringChange(call)
        try record(call)
        return ChangeSummary(isChange: true, balancers: state.withLock { $0.balancers.map(\.key) })
    }

    private func record(_ call: String) throws(DriverError) {
        let failure = state.withLock { state in
            state.calls.append(call)
            return state.failure
        }
        if let failure { throw failure }
    }
}
