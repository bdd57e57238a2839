import Glibc
import Spool
import SystemPackage
import TestServers
import Testing

/// Blocks of a spool, each of ten records, and the places where they start and end in its segments.
private struct Written {
    let options: SpoolOptions
    let directory: String
    /// The records of each block, in order.
    var blocks: [[String]] = []
    /// The cursor as it was before there was a block: what one that was killed leaves behind.
    let firstCursor: [UInt8]

    /// Writes blocks of ten records, two of which fill a segment, or as many as `segmentSize` takes.
    init(in folder: String, blocks count: Int, segmentSize: Int, recordCount: Int) throws {
        directory = "\(folder)/spool"
        options = SpoolOptions(directory: FilePath(directory), limit: 1 << 20, segmentSize: segmentSize, sync: .never)
        let spool = try Spool(options)
        firstCursor = try readBytes("\(directory)/cursor")
        for index in 0..<count {
            let records = texts(index * 10..<(index + 1) * 10, count: recordCount)
            for record in records { try spool.append(record) }
            try spool.write()
            blocks.append(records)
        }
        try spool.close()
    }

    var segments: [String] { segmentNames(directory).map { "\(directory)/\($0)" } }

    /// Opens what is there now, and gives what can be read of it.
    func read() throws -> (texts: [String], counts: SpoolCounts, recovery: SpoolRecovery, missing: UInt64) {
        let spool = try Spool(options)
        var found: [String] = []
        var missing: UInt64 = 0
        while let block = try spool.next() {
            missing += block.missingBefore
            found += block.map(\.text)
        }
        let counts = spool.counts
        try spool.close()
        return (found, counts, spool.recovery, missing)
    }
}

@Suite struct DamageTests {
    @Test("a tail torn at any byte costs the block that it tears, and what is written later comes after the rest")
    func tornTail() async throws {
        try await withTemporaryFolder { folder in
            let written = try Written(in: folder, blocks: 3, segmentSize: 16 << 10, recordCount: 12)
            let segment = try #require(written.segments.first)
            let bytes = try readBytes(segment)
            let block = (bytes.count - 64) / 3
            for count in 0...bytes.count {
                try writeBytes(Array(bytes.prefix(count)), to: segment)
                try writeBytes(written.firstCursor, to: "\(written.directory)/cursor")
                let whole = max(0, count - 64) / block
                let expected = written.blocks.prefix(whole).flatMap { $0 }
                let spool = try Spool(written.options)
                #expect(try spool.readAll() == expected)
                #expect(spool.recovery.tornBytes == (count < 64 ? count : (count - 64) % block))
                #expect(spool.counts.corruptPlaces == 0)
                try spool.append("later")
                try spool.commit()
                #expect(try spool.readAll() == ["later"])
                #expect(spool.counts.corruptRecords == 0)
                try spool.close()
                let again = try Spool(written.options)
                #expect(try again.readAll() == expected + ["later"])
                try again.close()
                for name in segmentNames(written.directory) { unlink("\(written.directory)/\(name)") }
            }
        }
    }

    @Test("a damaged byte anywhere costs at most the block that it is in, and is counted") func everyByte() async throws
    {
        try await withTemporaryFolder { folder in
            let written = try Written(in: folder, blocks: 4, segmentSize: 16 << 10, recordCount: 12)
            let segment = try #require(written.segments.first)
            let bytes = try readBytes(segment)
            let cursor = try readBytes("\(written.directory)/cursor")
            let block = (bytes.count - 64) / 4
            for place in bytes.indices {
                var damaged = bytes
                damaged[place] ^= 0x10
                try writeBytes(damaged, to: segment)
                try writeBytes(cursor, to: "\(written.directory)/cursor")
                let index = (place - 64) / block
                let expected = written.blocks.enumerated().filter { place < 64 || $0.offset != index }.flatMap(
                    \.element)
                let (found, counts, recovery, missing) = try written.read()
                guard found == expected else {
                    Issue.record("byte \(place): \(found.count) records")
                    continue
                }
                // The header is made up for by the first block.
                let isDamaged = place >= 64
                #expect(counts.corruptPlaces == (isDamaged ? 1 : 0))
                #expect(counts.corruptBytes == (isDamaged ? UInt64(block) : 0))
                #expect(counts.corruptRecords == (isDamaged ? 10 : 0))
                // That the last one was written whole, only the cursor says.
                #expect(missing == (isDamaged && index < 3 ? 10 : 0))
                #expect(recovery.lostRecords == (isDamaged && index == 3 ? 10 : 0))
                #expect(recovery.tornBytes == 0)
            }
        }
    }

    @Test("a segment that is damaged as a whole, empty, or gone costs what was in it, wherever it stands")
    func wholeSegment() async throws {
        try await withTemporaryFolder { folder in
            for (name, damage) in [
                ("noise", { (bytes: [UInt8]) in bytes.map { $0 ^ 0x5a } }),
                ("zeros", { (bytes: [UInt8]) in bytes.map { _ in 0 } }),
                ("empty", { (_: [UInt8]) in [] }),
            ] {
                for position in 0..<3 {
                    let written = try Written(
                        in: "\(folder)", blocks: 6, segmentSize: 16 << 10, recordCount: 700)
                    #expect(written.segments.count == 3)
                    let segment = written.segments[position]
                    try writeBytes(damage(try readBytes(segment)), to: segment)
                    let (found, counts, recovery, _) = try written.read()
                    let expected = written.blocks.enumerated().filter { $0.offset / 2 != position }.flatMap(\.element)
                    #expect(found == expected, "\(name) at \(position)")
                    #expect(counts.corruptRecords == 20, "\(name) at \(position)")
                    // How many records the last segment had, the cursor says.
                    #expect(recovery.lostRecords == (position == 2 ? 20 : 0), "\(name) at \(position)")
                    #expect(recovery.waitingRecords == (position == 1 ? 60 : 40), "\(name) at \(position)")
                    if name != "empty" { #expect(counts.corruptPlaces == 1, "\(name) at \(position)") }
                    for name in segmentNames(written.directory) { unlink("\(written.directory)/\(name)") }
                    unlink("\(written.directory)/cursor")
                }
            }
        }
    }

    @Test("a damaged last block of a process that was killed is cut off, as one that it did not finish")
    func damagedOrTorn() async throws {
        try await withTemporaryFolder { folder in
            let written = try Written(in: folder, blocks: 3, segmentSize: 16 << 10, recordCount: 12)
            let segment = try #require(written.segments.first)
            var bytes = try readBytes(segment)
            bytes[bytes.count - 1] ^= 1
            try writeBytes(bytes, to: segment)
            try writeBytes(written.firstCursor, to: "\(written.directory)/cursor")
            let (found, counts, recovery, _) = try written.read()
            #expect(found == written.blocks.dropLast().flatMap { $0 })
            #expect(counts.corruptPlaces == 0 && recovery.lostRecords == 0)
            #expect(recovery.tornBytes == (bytes.count - 64) / 3)
        }
    }

    @Test("what is lost at the end is told by the next block, though processes end before there is one")
    func toldLater() async throws {
        try await withTemporaryFolder { folder in
            let written = try Written(in: folder, blocks: 6, segmentSize: 16 << 10, recordCount: 700)
            let last = try #require(written.segments.last)
            try writeBytes([UInt8](repeating: 0, count: try readBytes(last).count), to: last)
            for round in 0..<2 {
                let spool = try Spool(written.options)
                #expect(spool.recovery.lostRecords == 20)
                #expect(try spool.drain() == (round == 0 ? written.blocks.dropLast(2).flatMap { $0 } : []))
                #expect(spool.counts.waitingRecords == 0)
                try spool.close()
            }
            let spool = try Spool(written.options)
            try spool.append("later")
            try spool.write()
            let block = try #require(try spool.next())
            #expect(block.missingBefore == 20)
            try spool.acknowledge(through: block.lastSequence)
            try spool.close()
            let (_, _, recovery, missing) = try written.read()
            #expect(recovery.lostRecords == 0 && missing == 0)
        }
    }

    @Test("records that were never written are not missed after a kill") func unwritten() async throws {
        try await withTemporaryFolder { folder in
            let directory = "\(folder)/spool"
            let options = SpoolOptions(directory: FilePath(directory), limit: 1 << 20, sync: .never)
            let spool = try Spool(options)
            try spool.append("written")
            try spool.write()
            try spool.append("in memory")
            _ = try spool.drain()
            let cursor = try readBytes("\(directory)/cursor")
            try spool.close()
            for name in segmentNames(directory) { unlink("\(directory)/\(name)") }
            try writeBytes(cursor, to: "\(directory)/cursor")
            let again = try Spool(options)
            #expect(again.recovery.lostRecords == 0)
            try again.append("next")
            try again.write()
            #expect(try again.next()?.missingBefore == 0)
        }
    }

    @Test("a segment that is removed while the spool is open is skipped and counted") func removedSegment() async throws
    {
        try await withTemporaryFolder { folder in
            let written = try Written(in: folder, blocks: 6, segmentSize: 16 << 10, recordCount: 700)
            let spool = try Spool(written.options)
            unlink(written.segments[1])
            #expect(try spool.drain() == written.blocks.enumerated().filter { $0.offset / 2 != 1 }.flatMap(\.element))
            #expect(spool.counts.corruptRecords == 20)
            #expect(spool.counts.waitingRecords == 0)
        }
    }

    @Test("damage in random places never costs an intact block, nor order, nor a repeat") func random() async throws {
        var random = SplitMix64.forThisRun()
        for _ in 0..<60 {
            try await withTemporaryFolder { folder in
                let written = try Written(in: folder, blocks: 30, segmentSize: 16 << 10, recordCount: 100)
                let segments = written.segments
                for _ in 0..<random.next() % 6 {
                    guard let segment = segments.randomElement(using: &random) else { continue }
                    var bytes = try readBytes(segment)
                    guard bytes.count > 64 else { continue }
                    switch random.next() % 4 {
                    case 0: bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
                    case 1: bytes.remove(at: Int.random(in: 64..<bytes.count, using: &random))
                    case 2: bytes.insert(contentsOf: [0, 1, 2], at: Int.random(in: 64..<bytes.count, using: &random))
                    default:
                        let start = Int.random(in: 0..<bytes.count, using: &random)
                        for index in start..<min(bytes.count, start + 3000) { bytes[index] = 0 }
                    }
                    try writeBytes(bytes, to: segment)
                }
                let (found, _, _, _) = try written.read()
                let numbers = found.compactMap(\.number)
                #expect(numbers == Set(numbers).sorted())
                #expect(Set(found).isSubset(of: written.blocks.joined()))
                // Each block is there as a whole or not at all.
                #expect(Dictionary(grouping: numbers) { $0 / 10 }.values.allSatisfy { $0.count == 10 })
            }
        }
    }

    @Test("a record that looks like a block is never taken for one") func forgedBlock() async throws {
        try await withTemporaryFolder { folder in
            let other = try Written(in: "\(folder)", blocks: 1, segmentSize: 16 << 10, recordCount: 12)
            let forged = Array(try readBytes(try #require(other.segments.first)).dropFirst(64))
            let spool = try Spool(
                SpoolOptions(
                    directory: FilePath("\(folder)/victim"), limit: 1 << 20, segmentSize: 16 << 10, sync: .never))
            _ = try forged.withUnsafeBytes { try spool.append($0) }
            try spool.write()
            try spool.append("true")
            try spool.close()
            let segment = "\(folder)/victim/" + (try #require(segmentNames("\(folder)/victim").first))
            var bytes = try readBytes(segment)
            bytes[64 + 20] ^= 1
            try writeBytes(bytes, to: segment)
            let again = try Spool(spool.options)
            #expect(try again.readAll() == ["true"])
            #expect(again.counts.corruptRecords == 1)
        }
    }

    @Test("a lost cursor has all that is there handed out again, under the old numbers") func lostCursor() async throws
    {
        try await withTemporaryFolder { folder in
            let written = try Written(in: folder, blocks: 3, segmentSize: 16 << 10, recordCount: 12)
            let first = try Spool(written.options)
            let block = try #require(try first.next())
            try first.acknowledge(through: block.lastSequence)
            try first.close()
            for cursor in [[], [UInt8](repeating: 7, count: 8192)] {
                try writeBytes(cursor, to: "\(written.directory)/cursor")
                let spool = try Spool(written.options)
                #expect(spool.recovery.lostCursor)
                #expect(spool.identity == first.identity)
                let again = try #require(try spool.next())
                #expect(again.firstSequence == block.firstSequence)
                #expect(try spool.readAll() == written.blocks.dropFirst().flatMap { $0 })
                try spool.append("new")
                try spool.write()
                // A number that the lost cursor may have known of is not given out again.
                #expect(try #require(try spool.next()).firstSequence > block.firstSequence + 1 << 32)
                try spool.close()
                for name in segmentNames(written.directory).dropFirst() { unlink("\(written.directory)/\(name)") }
            }
        }
    }

    @Test("a slot of the cursor that is torn leaves the other one") func tornCursor() async throws {
        try await withTemporaryFolder { folder in
            let written = try Written(in: folder, blocks: 3, segmentSize: 16 << 10, recordCount: 12)
            let spool = try Spool(written.options)
            let block = try #require(try spool.next())
            try spool.acknowledge(through: block.lastSequence)
            try spool.close()
            let bytes = try readBytes("\(written.directory)/cursor")
            for place in [20, 4096 + 20] {
                var damaged = bytes
                damaged[place] ^= 1
                try writeBytes(damaged, to: "\(written.directory)/cursor")
                let again = try Spool(written.options)
                #expect(!again.recovery.lostCursor)
                #expect(try again.readAll().suffix(20) == written.blocks.dropFirst().flatMap { $0 })
                try again.close()
            }
        }
    }
}
