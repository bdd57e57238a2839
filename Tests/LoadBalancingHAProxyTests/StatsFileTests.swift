import CivilTime
import Glibc
import LoadBalancing
import TestServers
import Testing

@testable import LoadBalancingHAProxy

@Suite struct StatsFileTests {
    private var ledger: TrafficLedger {
        var ledger = TrafficLedger(start: UTCTime(microseconds: 5))
        let traffic = TrafficCounters(bytesIn: 1, bytesOut: .max, connections: 3, requests: 4)
        let keys = [BalancerKey(protocol: .http, id: "a-b"), BalancerKey(protocol: .galera, id: nil)]
        for (id, key) in zip(Int32(1)..., keys) {
            ledger.observe(TrafficLedger.Process(id: id, start: 7), [key: traffic])
            let job = JobIdentity(server: "h:1", handle: "H:h:\(id)", unique: "\"\u{e9}")
            _ = ledger.report(for: job, at: UTCTime(microseconds: 9), balancers: [])
            if id == 1 { ledger.lose(job) }
        }
        ledger.observe(TrafficLedger.Process(id: 9, start: 7), [keys[0]: traffic])
        return ledger
    }

    @Test("what was written is read")
    func roundTrip() async throws {
        try await withTemporaryFolder { folder in
            let file = StatsFile(path: folder + "/haproxy.stats")
            #expect(try file.read() == .missing)
            try file.write(ledger)
            #expect(try file.read() == .ledger(ledger))
        }
    }

    @Test("a file that was cut short or changed is corrupt")
    func corrupt() async throws {
        try await withTemporaryFolder { folder in
            let file = StatsFile(path: folder + "/haproxy.stats")
            try file.write(ledger)
            let bytes = Array(readText(file.path).utf8)
            for count in stride(from: 0, to: bytes.count, by: 11) {
                try AtomicFile(path: file.path).write(Array(bytes[..<count]))
                #expect(try file.read() == .corrupt, "\(count)")
            }
            for place in stride(from: 15, to: bytes.count, by: 29) {
                var changed = bytes
                changed[place] ^= 1
                try AtomicFile(path: file.path).write(changed)
                #expect(try file.read() == .corrupt, "\(place)")
            }
        }
    }

    @Test("every corrupt file is kept")
    func corruptTwice() async throws {
        try await withTemporaryFolder { folder in
            let file = StatsFile(path: folder + "/haproxy.stats")
            for text in ["first", "second"] {
                try writeText(text, to: file.path)
                #expect(readText(try file.setAside()) == text)
                #expect(try file.read() == .missing)
            }
            #expect(readText(file.path + ".corrupt") == "first")
            #expect(readText(file.path + ".corrupt.2") == "second")
        }
    }

    @Test("a file of a later version is told from a corrupt one")
    func newer() async throws {
        try await withTemporaryFolder { folder in
            let file = StatsFile(path: folder + "/haproxy.stats")
            try AtomicFile(path: file.path).write(Array("libra-stats 2 sha256:00\n\u{1}".utf8))
            #expect(try file.read() == .newer(version: 2))
        }
    }

    @Test("a folder that is not there is a fault that names the file")
    func noFolder() {
        let file = StatsFile(path: "/nonexistent/haproxy.stats")
        let error = #expect(throws: DriverError.self) { try file.write(ledger) }
        #expect(error?.code == .storage)
        #expect(error?.message.contains("/nonexistent/haproxy.stats") == true)
    }
}
