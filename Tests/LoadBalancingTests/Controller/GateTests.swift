import JSON
import Logging
import Synchronization
import Testing

@testable import LoadBalancing

@Suite struct GateTests {
    @Test("changes are made one at a time, in the order in which they came")
    func order() async throws {
        let visitors = Visitors()
        let driver = StubDriver { _ in await visitors.visit() }
        let harness = Harness(driver: driver, level: .info)
        let actions = (0..<200).map { ["suspend", "enable", "delete"][$0 % 3] }
        await Self.run(actions, on: harness)
        #expect(driver.calls == actions)
        #expect(visitors.most == 1)
    }

    /// Sends messages so that each reaches the gate before the next: on one actor, a task runs until it has to wait.
    @MainActor
    private static func run(_ actions: [String], on harness: Harness) async {
        let tasks = actions.map { action in
            Task.immediate { _ = await harness.controller.reply(to: Array(#"{"hpcs_action":"\#(action)"}"#.utf8)) }
        }
        for task in tasks { await task.value }
    }

    @Test("reads do not wait for a change, and a change that follows does")
    func reads() async throws {
        let (stream, end) = AsyncStream.makeStream(of: Void.self)
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let driver = StubDriver { call in
            guard call == "suspend" else { return }
            start.finish()
            for await _ in stream {}
        }
        let harness = Harness(driver: driver)
        async let suspend = harness.reply(to: #"{"hpcs_action":"SUSPEND"}"#)
        for await _ in started {}
        async let enable = harness.reply(to: #"{"hpcs_action":"ENABLE"}"#)
        for action in ["PING", "STATS", "DISCOVER", "DIAGNOSTICS", "METRICS", "PLAN"] {
            #expect(try await harness.reply(to: #"{"hpcs_action":"\#(action)"}"#)["hpcs_response"] != nil)
        }
        #expect(driver.calls == ["ping", "statistics", "version", "traffic -"])
        end.finish()
        #expect(try await suspend["hpcs_response"] == "PASS")
        #expect(try await enable["hpcs_response"] == "PASS")
        #expect(driver.calls == ["ping", "statistics", "version", "traffic -", "suspend", "enable"])
    }

    @Test("a change that fails lets the next one in")
    func failure() async throws {
        let harness = Harness(driver: StubDriver(failure: DriverError(.unavailable, "no")))
        for _ in 0..<3 {
            #expect(try await harness.reply(to: #"{"hpcs_action":"DELETE"}"#)["hpcs_response"] == "FAIL")
        }
        #expect(harness.driver.calls == ["delete", "delete", "delete"])
    }

    @Test("a task that is cancelled keeps its turn")
    func cancelled() async {
        let harness = Harness()
        let task = Task { _ = await harness.controller.reply(to: Array(#"{"hpcs_action":"DELETE"}"#.utf8)) }
        task.cancel()
        await task.value
        #expect(harness.driver.calls == ["delete"])
    }

    @Test("no two tasks are inside at once")
    func exclusion() async {
        let gate = Gate()
        let visitors = Visitors()
        await withTaskGroup { group in
            for _ in 0..<100 {
                group.addTask { await gate.pass { await visitors.visit() } }
            }
        }
        #expect(visitors.most == 1)
        #expect(visitors.total == 100)
    }
}

/// Counts who is inside at once.
private final class Visitors: Sendable {
    private let count = Mutex((now: 0, most: 0, total: 0))

    var most: Int { count.withLock { $0.most } }
    var total: Int { count.withLock { $0.total } }

    func visit() async {
        count.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.total + 1) }
        for _ in 0..<20 { await Task.yield() }
        count.withLock { $0.now -= 1 }
    }
}
