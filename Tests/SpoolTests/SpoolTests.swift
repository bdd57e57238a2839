import Glibc
import Spool
import SystemPackage
import TestServers
import Testing

@Suite struct SpoolTests {
    @Test("records come out in order, with their flags, whatever their bytes are") func order() async throws {
        try await withSpool { spool in
            let all = (0...255).map { UInt8($0) }
            for length in [0, 1, 2, 255, 256] {
                #expect(
                    try all.prefix(length).withUnsafeBytes { try spool.append($0, flag: UInt8(length & 0xff)) }
                        == .appended)
            }
            try spool.write()
            let block = try #require(try spool.next())
            #expect(block.recordCount == 5)
            #expect(block.missingBefore == 0)
            #expect(block.map(\.bytes.count) == [0, 1, 2, 255, 256])
            #expect(block.map(\.flag) == [0, 1, 2, 255, 0])
            #expect(block.map(\.sequence) == Array(block.firstSequence...block.lastSequence))
            #expect(block.allSatisfy { $0.bytes.elementsEqual(all.prefix($0.bytes.count)) })
            #expect(try spool.next() == nil)
        }
    }

    @Test("the reader gets nothing before it is written, and its descriptor says when there is something")
    func readable() async throws {
        try await withSpool { spool in
            #expect(try spool.next() == nil)
            try spool.append("a")
            #expect(!spool.isReadable)
            #expect(try spool.next() == nil)
            try spool.write()
            #expect(spool.isReadable)
            #expect(try spool.readAll() == ["a"])
            #expect(!spool.isReadable)
            try spool.append("b")
            try spool.commit()
            #expect(spool.isReadable)
        }
    }

    @Test("a block that is kept stays as it is while others are read") func keptBlock() async throws {
        try await withSpool { spool in
            var blocks: [SpoolBlock] = []
            for number in 0..<50 {
                try spool.append("record \(number)".padding(to: 7000))
                try spool.write()
                if number % 3 == 0 { while let block = try spool.next() { blocks.append(block) } }
            }
            while let block = try spool.next() { blocks.append(block) }
            let kept = blocks.flatMap { $0.map(\.text) }
            #expect(kept == (0..<50).map { "record \($0)".padding(to: 7000) })
        }
    }

    @Test("the longest record passes, and a longer one is refused with its bounds") func longRecord() async throws {
        try await withSpool(limit: 4 << 20) { spool in
            let longest = spool.options.maximumRecord
            #expect(longest == 512 << 10)
            try spool.append("before")
            try spool.append(String(repeating: "x", count: longest))
            try spool.append("after")
            try spool.write()
            #expect(try spool.drain().map(\.utf8.count) == [6, longest, 5])
            let error = #expect(throws: SpoolError.self) {
                try spool.append(String(repeating: "x", count: longest + 1))
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("\(longest)") == true)
        }
    }

    @Test("what was not acknowledged is there after a restart, in order and under the same numbers")
    func restart() async throws {
        try await withTemporaryFolder { folder in
            let options = SpoolOptions(directory: FilePath("\(folder)/spool"), limit: 1 << 20, sync: .never)
            var numbers: [String: UInt64] = [:]
            var identity: UInt64 = 0
            var acknowledged = -1
            for round in 0..<20 {
                let spool = try Spool(options)
                if round == 0 { identity = spool.identity }
                #expect(spool.identity == identity)
                #expect(spool.recovery.tornBytes == 0 && !spool.recovery.lostCursor)
                #expect(spool.recovery.waitingRecords == UInt64(round * 100 - (acknowledged + 1)))
                for text in texts(round * 100..<(round + 1) * 100) { try spool.append(text) }
                try spool.write()
                var found: [Int] = []
                var last: UInt64 = 0
                // The rest of a block stays with the next process.
                while let block = try spool.next() {
                    #expect(block.missingBefore == 0)
                    for record in block {
                        let number = try #require(record.text.number)
                        #expect(numbers[record.text, default: record.sequence] == record.sequence)
                        #expect(record.sequence > last)
                        numbers[record.text] = record.sequence
                        last = record.sequence
                        found.append(number)
                        if number == round * 50 {
                            try spool.acknowledge(through: record.sequence)
                            acknowledged = number
                        }
                    }
                }
                #expect(found == Array(found[0]..<(round + 1) * 100))
                #expect(spool.counts.waitingRecords == UInt64((round + 1) * 100 - acknowledged - 1))
                try spool.close()
            }
        }
    }

    @Test("segments are removed as they are acknowledged, and none is left when all are at the end")
    func segments() async throws {
        try await withTemporaryFolder { folder in
            let directory = "\(folder)/spool"
            let spool = try Spool(SpoolOptions(directory: FilePath(directory), limit: 1 << 20, segmentSize: 16 << 10))
            for text in texts(0..<2000) { try spool.append(text) }
            try spool.write()
            #expect(segmentNames(directory).count > 10)
            let total = spool.counts.usedBytes
            #expect(try spool.drain() == texts(0..<2000))
            #expect(segmentNames(directory).count == 1)
            #expect(spool.counts.usedBytes < total / 10)
            #expect(spool.counts.waitingRecords == 0)
            try spool.close()
            #expect(segmentNames(directory).isEmpty)
            let next = try Spool(spool.options)
            try next.append("later")
            try next.write()
            #expect(try #require(try next.next()).firstSequence == 2001)
            try next.close()
        }
    }

    @Test("an acknowledgement of what was not handed out is refused, an old one does nothing") func wrong() async throws
    {
        try await withSpool { spool in
            try spool.append("a")
            try spool.append("b")
            try spool.write()
            let block = try #require(try spool.next())
            #expect(throws: SpoolError.self) { try spool.acknowledge(through: block.lastSequence + 1) }
            try spool.acknowledge(through: block.lastSequence)
            try spool.acknowledge(through: block.firstSequence)
            #expect(spool.counts.waitingRecords == 0)
        }
    }

    @Test("a closed spool says so, and its directory is free") func closed() async throws {
        try await withTemporaryFolder { folder in
            let options = SpoolOptions(directory: FilePath("\(folder)/spool"))
            let spool = try Spool(options)
            try spool.append("kept")
            try spool.close()
            try spool.close()
            #expect(throws: SpoolError.self) { try spool.append("x") }
            #expect(throws: SpoolError.self) { try spool.write() }
            #expect(throws: SpoolError.self) { try spool.commit() }
            #expect(throws: SpoolError.self) { try spool.next() }
            #expect(throws: SpoolError.self) { try spool.acknowledge(through: 1) }
            let other = try Spool(options)
            #expect(try other.drain() == ["kept"])
        }
    }
}
