import CivilTime
import LoadBalancing
import TestServers
import Testing

@Suite struct TrafficLedgerTests {
    private let http = BalancerKey(protocol: .http, id: nil)
    private let tcp = BalancerKey(protocol: .tcp, id: "15")
    private let first = TrafficLedger.Process(id: 100, start: 1000)
    private let second = TrafficLedger.Process(id: 101, start: 1010)

    private func bytes(_ count: UInt64) -> TrafficCounters {
        TrafficCounters(bytesIn: count / 2, bytesOut: count, connections: count / 10, requests: count / 5)
    }

    private func job(_ number: Int, unique: String = "u") -> JobIdentity {
        JobIdentity(server: "localhost:4730", handle: "H:host:\(number)", unique: unique)
    }

    private func ledger() -> TrafficLedger { TrafficLedger(start: UTCTime(microseconds: 0)) }

    private func time(_ seconds: Int64) -> UTCTime { UTCTime(microseconds: seconds * 1_000_000) }

    private func sum(_ report: TrafficReport) -> UInt64 { report.rows.reduce(0) { $0 + $1.traffic.bytesOut } }

    @Test("growth is added, and a new process counts from zero while the old one goes on")
    func processes() {
        var ledger = ledger()
        ledger.observe(first, [http: bytes(100)])
        ledger.observe(first, [http: bytes(150)])
        ledger.observe(second, [http: bytes(30)])
        ledger.observe(first, [http: bytes(170)])
        ledger.observe(second, [http: bytes(30)])
        #expect(sum(ledger.report(for: nil, at: time(1), balancers: [http])) == 200)
        ledger.observe(first, [http: bytes(171)])
        #expect(sum(ledger.report(for: nil, at: time(2), balancers: [http])) == 1)
    }

    @Test("a process of the same id that started later is another one")
    func sameID() {
        var ledger = ledger()
        ledger.observe(first, [http: bytes(100)])
        ledger.observe(TrafficLedger.Process(id: 100, start: 2000), [http: bytes(100)])
        #expect(sum(ledger.report(for: nil, at: time(1), balancers: [])) == 200)
    }

    @Test("counters that were set to zero are noticed, and never make less")
    func reset() {
        var ledger = ledger()
        #expect(ledger.observe(first, [http: bytes(100), tcp: bytes(10)]).isEmpty)
        #expect(ledger.observe(first, [http: bytes(40), tcp: bytes(20)]) == [http])
        #expect(ledger.observe(first, [http: bytes(50), tcp: bytes(20)]).isEmpty)
        let report = ledger.report(for: nil, at: time(1), balancers: [http, tcp])
        #expect(report.rows.map(\.traffic.bytesOut) == [150, 20])
    }

    @Test("sums stay at the largest number")
    func largest() {
        var ledger = ledger()
        for id in [Int32(1), 2] {
            let most = TrafficCounters(bytesIn: .max, bytesOut: .max, connections: .max, requests: .max)
            ledger.observe(TrafficLedger.Process(id: id, start: 1), [http: most])
        }
        #expect(ledger.report(for: nil, at: time(1), balancers: []).rows[0].traffic.bytesOut == .max)
    }

    @Test("a balancer that is gone is reported once more, and one without traffic has a row of zeros")
    func gone() {
        var ledger = ledger()
        ledger.observe(first, [tcp: bytes(10)])
        let report = ledger.report(for: nil, at: time(1), balancers: [http])
        #expect(report.rows.map(\.balancer) == [http, tcp])
        #expect(report.rows.map(\.traffic.bytesOut) == [0, 10])
        #expect(ledger.report(for: nil, at: time(2), balancers: [http]).rows.map(\.balancer) == [http])
    }

    @Test("a job that comes again has the same report, until its answer is confirmed")
    func again() {
        var ledger = ledger()
        ledger.observe(first, [http: bytes(10)])
        let report = ledger.report(for: job(1), at: time(1), balancers: [http])
        ledger.observe(first, [http: bytes(30)])
        #expect(ledger.report(for: job(1), at: time(2), balancers: [http]) == report)
        // Another one does not have it, for the first may still arrive.
        #expect(sum(ledger.report(for: job(2), at: time(3), balancers: [http])) == 20)
        ledger.confirm(job(1))
        // A job server that was started anew gives the same handle to another job.
        #expect(sum(ledger.report(for: job(1), at: time(4), balancers: [http])) == 0)
        #expect(sum(ledger.report(for: job(2, unique: "v"), at: time(5), balancers: [http])) == 0)
    }

    @Test("what was lost is in the next report, or again in that of its own job, but never in both")
    func lost() {
        for ownComesFirst in [true, false] {
            var ledger = ledger()
            ledger.observe(first, [http: bytes(10)])
            let report = ledger.report(for: job(1), at: time(1), balancers: [http])
            ledger.lose(job(1))
            ledger.observe(first, [http: bytes(15)])
            if ownComesFirst {
                #expect(ledger.report(for: job(1), at: time(2), balancers: [http]) == report)
                #expect(sum(ledger.report(for: job(2), at: time(3), balancers: [http])) == 5)
            } else {
                let next = ledger.report(for: job(2), at: time(2), balancers: [http])
                #expect(sum(next) == 15)
                #expect(next.start == report.start)
                #expect(sum(ledger.report(for: job(1), at: time(3), balancers: [http])) == 0)
            }
        }
    }

    @Test("of more reports than are kept the oldest are struck, and told, so that no byte goes unsaid")
    func limit() {
        var ledger = ledger()
        for number in 1...258 {
            ledger.observe(first, [http: bytes(UInt64(number) * 10)])
            _ = ledger.report(for: job(number), at: time(1), balancers: [http])
        }
        let struck = ledger.strikeOldest()
        #expect(struck.map(\.job) == [job(1), job(2)])
        #expect(struck.map(\.report.total.bytesOut) == [10, 10])
        #expect(ledger.strikeOldest().isEmpty)
        #expect(!ledger.hasReport(for: job(2)) && ledger.hasReport(for: job(3)))
    }

    @Test("periods follow on each other, also when the clock is set back")
    func periods() {
        var ledger = TrafficLedger(start: time(100))
        let reports = [200, 150, 300].map { ledger.report(for: nil, at: time($0), balancers: []) }
        #expect(reports.map(\.start) == [time(100), time(200), time(200)])
        #expect(reports.map(\.end) == [time(200), time(200), time(300)])
    }

    @Test("after the books were lost, what processes had counted by then is left out")
    func replacement() {
        var ledger = TrafficLedger(start: time(1005), isReplacement: true)
        ledger.observe(first, [http: bytes(100)])
        ledger.observe(first, [http: bytes(110)])
        ledger.observe(second, [http: bytes(7)])
        #expect(sum(ledger.report(for: nil, at: time(2000), balancers: [])) == 17)
    }

    /// Random lives of a worker: what is reported is what was seen, however often answers are lost and workers killed.
    @Test("whatever happens, the reports that arrive add up to what was counted", arguments: 0..<200)
    func property(_ seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        var ledger = ledger()
        var disk = ledger
        var counted: [TrafficLedger.Process: UInt64] = [:]
        var current = TrafficLedger.Process(id: 1, start: 1)
        var total: UInt64 = 0
        var arrived: UInt64 = 0
        /// Jobs that the job server has and will deliver again.
        var waiting: [JobIdentity] = []
        var number = 0

        func answer(_ job: JobIdentity) throws {
            for (process, count) in counted { ledger.observe(process, [http: bytes(count)]) }
            let report = ledger.report(for: job, at: time(Int64(number)), balancers: [http])
            switch UInt64.random(in: 0..<5, using: &random) {
            case 0:
                // Killed before the write.
                ledger = disk
                waiting.append(job)
            case 1:
                // Killed between the write and the sending.
                disk = try #require(TrafficLedger(json: ledger.json))
                ledger = disk
                waiting.append(job)
            case 2:
                // The answer does not arrive, the worker learns of it.
                ledger.lose(job)
                disk = ledger
                if Bool.random(using: &random) { waiting.append(job) }
            case 3:
                // It arrives, and the worker is killed before it learns of it.
                disk = try #require(TrafficLedger(json: ledger.json))
                ledger = disk
                arrived += sum(report)
            default:
                ledger.confirm(job)
                disk = ledger
                arrived += sum(report)
            }
        }

        for _ in 0..<200 {
            number += 1
            switch UInt64.random(in: 0..<6, using: &random) {
            case 0:
                current = TrafficLedger.Process(id: Int32(number), start: Int64(number))
            case 1 where !waiting.isEmpty:
                try answer(waiting.remove(at: Int.random(in: 0..<waiting.count, using: &random)))
            case 2:
                try answer(job(number))
            case 3:
                // Killed while idle.
                ledger = disk
            default:
                let process = counted.keys.sorted { $0.id < $1.id }.randomElement(using: &random) ?? current
                let more = UInt64.random(in: 0..<1_000_000, using: &random)
                counted[Bool.random(using: &random) ? process : current, default: 0] += more
                total += more
            }
        }
        while let job = waiting.popLast() {
            for (process, count) in counted { ledger.observe(process, [http: bytes(count)]) }
            arrived += sum(ledger.report(for: job, at: time(Int64(number)), balancers: [http]))
            ledger.confirm(job)
        }
        for (process, count) in counted { ledger.observe(process, [http: bytes(count)]) }
        arrived += sum(ledger.report(for: nil, at: time(Int64(number)), balancers: [http]))
        #expect(arrived == total)
    }
}
