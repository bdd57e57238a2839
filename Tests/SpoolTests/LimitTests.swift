import DedicatedThread
import Spool
import SystemPackage
import TestServers
import Testing

@Suite struct LimitTests {
    /// 64 KiB in segments of 16 KiB: about 600 records of 100 bytes.
    private static let limit = 64 << 10

    @Test("drop-newest refuses what comes when the limit is reached, and counts it") func dropNewest() async throws {
        try await withSpool(limit: Self.limit, whenFull: .dropNewest) { spool in
            var taken: [String] = []
            var dropped: UInt64 = 0
            for round in 0..<3 {
                for text in texts(round * 2000..<(round + 1) * 2000) {
                    switch try spool.append(text) {
                    case .appended: taken.append(text)
                    case .dropped: dropped += 1
                    case .interrupted: Issue.record("nothing was interrupted")
                    }
                    #expect(spool.counts.usedBytes <= Self.limit)
                }
                try spool.write()
                #expect(spool.counts.droppedNewest == dropped)
                #expect(spool.counts.waitingRecords == UInt64(taken.count))
                #expect(taken.count > 500 && dropped > 1000)
                #expect(try spool.drain() == taken)
                taken = []
            }
            #expect(spool.counts.droppedOldest == 0)
        }
    }

    @Test("drop-oldest removes what nobody has read, and counts it exactly") func dropOldest() async throws {
        try await withSpool(limit: Self.limit, whenFull: .dropOldest) { spool in
            var next = 0
            var read: [Int] = []
            var missing: UInt64 = 0
            for round in 0..<10 {
                for text in texts(next..<next + 1000) {
                    #expect(try spool.append(text) == .appended)
                    #expect(spool.counts.usedBytes <= Self.limit)
                }
                next += 1000
                try spool.write()
                // Only some of it is read, so that the reader stands inside what is dropped next.
                for _ in 0..<round {
                    guard let block = try spool.next() else { break }
                    missing += block.missingBefore
                    read += block.compactMap(\.text.number)
                    if round.isMultiple(of: 2) { try spool.acknowledge(through: block.lastSequence) }
                }
            }
            try spool.append("\(next)")
            try spool.write()
            next += 1
            while let block = try spool.next() {
                missing += block.missingBefore
                read += block.compactMap(\.text.number)
                try spool.acknowledge(through: block.lastSequence)
            }
            #expect(read == read.sorted() && Set(read).count == read.count)
            #expect(read.last == next - 1)
            let counts = spool.counts
            #expect(counts.droppedOldest == UInt64(next - read.count))
            #expect(counts.droppedOldest == missing)
            #expect(counts.deliveredRecords == UInt64(read.count))
            #expect(counts.droppedNewest == 0 && counts.corruptRecords == 0 && counts.waitingRecords == 0)
        }
    }

    @Test("what was dropped before a restart shows as missing after it") func droppedBeforeRestart() async throws {
        try await withTemporaryFolder { folder in
            let options = SpoolOptions(
                directory: FilePath("\(folder)/spool"), limit: Self.limit, sync: .never, whenFull: .dropOldest)
            let first = try Spool(options)
            for text in texts(0..<3000) { try first.append(text) }
            let dropped = first.counts.droppedOldest
            try first.close()
            let second = try Spool(options)
            let block = try #require(try second.next())
            #expect(block.missingBefore == dropped)
            #expect(block.first { _ in true }?.text.number == Int(dropped))
            #expect(try second.readAll().last?.number == 2999)
            #expect(second.counts.corruptRecords == 0)
        }
    }

    @Test("block waits for the reader and loses nothing") func block() async throws {
        try await withSpool(limit: Self.limit, whenFull: .block) { spool in
            let writer = DedicatedThread(name: "writer")
            async let writing: Void = writer.run {
                for text in texts(0..<10_000) { try spool.append(text) }
                try spool.commit()
            }
            try await eventually("a full spool") { spool.counts.usedBytes > Self.limit * 7 / 10 }
            var read: [String] = []
            while read.count < 10_000 {
                read += try spool.drain()
                #expect(spool.counts.usedBytes <= Self.limit)
            }
            try await writing
            #expect(read == texts(0..<10_000))
            #expect(spool.counts.droppedOldest == 0 && spool.counts.droppedNewest == 0)
        }
    }

    @Test("an interruption ends the wait for room, and what was taken stays") func interrupt() async throws {
        try await withSpool(limit: Self.limit, whenFull: .block) { spool in
            let writer = DedicatedThread(name: "writer")
            async let taken = writer.run { () throws -> Int in
                for (index, text) in texts(0..<10_000).enumerated() where try spool.append(text) == .interrupted {
                    return index
                }
                return 10_000
            }
            try await eventually("a full spool") { spool.counts.usedBytes > Self.limit * 7 / 10 }
            spool.interrupt()
            let count = try await taken
            #expect(count > 500 && count < 700)
            #expect(try spool.append("one more".padding(to: 100)) == .interrupted)
            try spool.write()
            #expect(try spool.drain() == texts(0..<count))
            #expect(try spool.append("there is room now") == .appended)
        }
    }

    @Test("a spool above a lower limit lets the writer wait until enough is read", arguments: [20, 4000])
    func lowerLimit(count: Int) async throws {
        try await withTemporaryFolder { folder in
            var options = SpoolOptions(directory: FilePath("\(folder)/spool"), limit: 16 << 20, sync: .never)
            let first = try Spool(options)
            for text in texts(0..<count, count: 4000) { try first.append(text) }
            try first.close()
            options.limit = 64 << 10
            options.segmentSize = 16 << 10
            let second = try Spool(options)
            let writer = DedicatedThread(name: "writer")
            async let writing: Void = writer.run {
                for text in texts(count..<count + 100, count: 4000) { try second.append(text) }
                try second.commit()
            }
            var read: [Int] = []
            while read.count < count + 100 { read += try second.drain().compactMap(\.number) }
            try await writing
            #expect(read == Array(0..<count + 100))
            try second.close()
        }
    }

    @Test("options that cannot work are refused with their bounds") func options() {
        for options in [
            SpoolOptions(directory: "/nonexistent/spool", limit: 65_535),
            SpoolOptions(directory: "/nonexistent/spool", segmentSize: 16_383),
            SpoolOptions(directory: "/nonexistent/spool", limit: 1 << 20, segmentSize: (1 << 18) + 1),
            SpoolOptions(directory: "/nonexistent/spool", sync: .interval(.zero)),
        ] {
            let error = #expect(throws: SpoolError.self) { try Spool(options) }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test("sync policies are read and written as the command line has them") func policies() throws {
        #expect(try SyncPolicy("always") == .always)
        #expect(try SyncPolicy("never") == .never)
        #expect(try SyncPolicy("interval=5ms") == .interval(.milliseconds(5)))
        #expect(try SyncPolicy("interval=2min") == .interval(.seconds(120)))
        #expect(try SyncPolicy("interval=3s").description == "interval=3000ms")
        for text in [
            "", "Always", "interval", "interval=", "interval=5", "interval=0ms", "interval=-1s", "interval=5 ms",
        ] {
            #expect(throws: SpoolError.self) { try SyncPolicy(text) }
        }
    }
}
