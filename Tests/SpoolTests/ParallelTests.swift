import DedicatedThread
import Glibc
import Spool
import SystemPackage
import TestServers
import Testing

@Suite struct ParallelTests {
    @Test(
        "a writer and a reader at the same time lose and repeat nothing",
        arguments: [
            SyncPolicy.interval(.milliseconds(1)), .never,
        ])
    func load(sync: SyncPolicy) async throws {
        let total = 300_000
        try await withSpool(limit: 2 << 20, sync: sync) { spool in
            let writer = DedicatedThread(name: "writer")
            let reader = DedicatedThread(name: "reader")
            async let writing: Void = writer.run {
                for number in 0..<total {
                    try spool.append("\(number) ".padding(to: number % 200))
                    if number % 37 == 0 { try spool.write() }
                }
                try spool.commit()
            }
            async let reading = reader.run { () throws -> Int in
                var next = 0
                while next < total {
                    guard let block = try spool.next() else {
                        var request = pollfd(fd: spool.readable, events: Int16(POLLIN), revents: 0)
                        poll(&request, 1, -1)
                        continue
                    }
                    for record in block {
                        guard record.text.number == next else { return next }
                        next += 1
                    }
                    try spool.acknowledge(through: block.lastSequence)
                    _ = spool.counts
                }
                return next
            }
            #expect(try await reading == total)
            try await writing
            #expect(spool.counts.waitingRecords == 0)
            #expect(spool.counts.deliveredRecords == UInt64(total))
        }
    }

    @Test("drop-oldest under a reader at work loses exactly what it counts") func dropOldest() async throws {
        let total = 200_000
        try await withSpool(limit: 128 << 10, whenFull: .dropOldest) { spool in
            let writer = DedicatedThread(name: "writer")
            let reader = DedicatedThread(name: "reader")
            async let writing: Void = writer.run {
                for number in 0..<total { try spool.append("\(number) ".padding(to: 50)) }
                try spool.commit()
            }
            async let reading = reader.run { () throws -> (count: Int, missing: Int, isOrdered: Bool) in
                var (count, missing, last, isOrdered) = (0, 0, -1, true)
                while last < total - 1 {
                    guard let block = try spool.next() else {
                        var request = pollfd(fd: spool.readable, events: Int16(POLLIN), revents: 0)
                        poll(&request, 1, -1)
                        continue
                    }
                    missing += Int(block.missingBefore)
                    for record in block {
                        let number = record.text.number ?? -1
                        isOrdered = isOrdered && number > last
                        last = number
                        count += 1
                    }
                    try spool.acknowledge(through: block.lastSequence)
                }
                return (count, missing, isOrdered)
            }
            let result = try await reading
            try await writing
            #expect(result.isOrdered)
            #expect(result.count + result.missing == total)
            #expect(spool.counts.droppedOldest == UInt64(result.missing))
            #expect(spool.counts.corruptPlaces == 0 && spool.counts.corruptRecords == 0)
        }
    }
}
