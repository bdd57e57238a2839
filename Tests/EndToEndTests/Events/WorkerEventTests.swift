import CivilTime
import JSON
import MessageLog
import Testing

@testable import LibraWorker
@testable import LoadBalancing

extension EndToEnd {
    @Suite("Events of the worker")
    struct WorkerEventTests {
        private let time = UTCTime(microseconds: 1_795_224_225_678_901)
        private let job = JobIdentity(server: "queue:4730", handle: "H:queue:7", unique: "")

        private func value(_ event: WorkerEvent) throws -> JSONValue {
            try JSONValue(parsing: event.bytes(id: "00-1", time: time, host: "lb-1"))
        }

        @Test("a change has its balancers, what was done to HAProxy, and its job")
        func change() throws {
            let steps = [
                ChangePlan.Step(.add, "add http-15/id-3"), ChangePlan.Step(.change, "set the weight"),
                ChangePlan.Step(.remove, "drain"), ChangePlan.Step(.remove, "drain another"),
            ]
            let keys = [BalancerKey(protocol: .http, id: "15"), BalancerKey(protocol: .tcp, id: nil)]
            let report = ChangeReport(
                action: .update, balancers: keys, error: nil,
                summary: ChangeSummary(isChange: true, balancers: keys, steps: steps), duration: .milliseconds(12),
                job: job)
            #expect(
                try value(WorkerEvent(report)) == [
                    "id": "00-1", "time": .string(time.description), "host": "lb-1", "action": "UPDATE",
                    "response": "PASS",
                    "balancers": [["protocol": "HTTP", "id": "15"], ["protocol": "TCP"]],
                    "plan": [
                        "reload": [], "add": 1, "change": 1, "remove": 2,
                        "steps": ["add http-15/id-3", "set the weight", "drain", "drain another"],
                    ],
                    "milliseconds": 12, "job": ["handle": "H:queue:7", "server": "queue:4730"],
                ])
        }

        @Test("a change that failed says why, and has no plan")
        func failure() throws {
            let report = ChangeReport(
                action: .suspend, balancers: [], error: "HAProxy is not running.", summary: nil,
                duration: .milliseconds(3), job: nil)
            #expect(
                try value(WorkerEvent(report)) == [
                    "id": "00-1", "time": .string(time.description), "host": "lb-1", "action": "SUSPEND",
                    "response": "FAIL", "error": "HAProxy is not running.", "balancers": [], "milliseconds": 3,
                ])
        }

        @Test("of many steps and differences the first are told, and how many there are")
        func many() throws {
            let steps = (1...1000).map { ChangePlan.Step(.add, "add \($0)") }
            let report = RepairReport(
                differences: steps.map(\.text), summary: ChangeSummary(isChange: true, balancers: [], steps: steps),
                error: nil, duration: .milliseconds(1))
            let event = try value(WorkerEvent(report))
            #expect(event["action"] == "REPAIR")
            #expect(event["differences"]?.array?.count == WorkerEvent.wordsLimit)
            #expect(event["differenceCount"] == 1000)
            #expect(event["plan"]?["steps"]?.array?.count == WorkerEvent.wordsLimit)
            #expect(event["plan"]?["add"] == 1000)
        }

        @Test("events that wait have consecutive numbers, and the oldest make room")
        func queue() async throws {
            let size = WorkerEvent(.start).bytes(id: "0123456789abcdef-1", time: time, host: "lb-1").count
            let queue = EventQueue(host: "lb-1", capacity: 3 * size)
            for _ in 1...5 { queue.append(WorkerEvent(.start), at: time) }
            #expect(queue.dropped == 2)
            let events = try await queue.next()?.map { try JSONValue(parsing: Array($0.body)) } ?? []
            let ids = events.compactMap { $0["id"]?.string?.split(separator: "-") }
            #expect(ids.map { $0[1] } == ["3", "4", "5"])
            #expect(Set(ids.map { $0[0] }).count == 1)
            queue.append(WorkerEvent(.stop), at: time)
            queue.end()
            #expect(await queue.next()?.count == 1)
            #expect(await queue.next() == nil)
        }

        @Test("who waits for events gets one as soon as there is one")
        func waiting() async throws {
            let queue = EventQueue(host: "lb-1")
            async let events = queue.next()
            for _ in 1...10 { await Task.yield() }
            queue.append(WorkerEvent(.start), at: time)
            #expect(await events?.count == 1)
        }
    }
}
