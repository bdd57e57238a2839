import DedicatedThread
import Spool
import SystemPackage
import TestServers
import Testing

@Suite(.serialized) struct DiskFullTests {
    private func options(_ disk: SmallDisk, _ whenFull: WhenFull, sync: SyncPolicy = .never) -> SpoolOptions {
        SpoolOptions(
            directory: FilePath("\(disk.path)/spool"), limit: 4 << 20, segmentSize: 32 << 10, sync: sync,
            whenFull: whenFull)
    }

    @Test(
        "drop-newest keeps what is there, refuses the rest, and goes on when there is room again",
        arguments: [
            SyncPolicy.always, .interval(.milliseconds(5)), .never,
        ])
    func dropNewest(sync: SyncPolicy) async throws {
        try await withSmallDisk { disk in
            let spool = try Spool(options(disk, .dropNewest, sync: sync))
            var taken: [String] = []
            for text in texts(0..<10_000) where try spool.append(text) == .appended { taken.append(text) }
            #expect(taken.count > 3000 && taken.count < 6000)
            #expect(taken.count + Int(spool.counts.droppedNewest) == 10_000)
            try spool.write()
            #expect(spool.counts.isDiskFull)
            let error = #expect(throws: SpoolError.self) { try spool.commit() }
            #expect(error?.code == .full)
            var read = try spool.drain()
            try spool.commit()
            read += try spool.drain()
            #expect(read == taken)
            #expect(!spool.counts.isDiskFull)
            #expect(try spool.append("later") == .appended)
            try spool.commit()
            #expect(try spool.drain() == ["later"])
            try spool.close()
        }
    }

    @Test("drop-oldest makes room on a full disk, and counts what goes") func dropOldest() async throws {
        try await withSmallDisk { disk in
            let spool = try Spool(options(disk, .dropOldest))
            for text in texts(0..<20_000) { #expect(try spool.append(text) == .appended) }
            try spool.commit()
            let read = try spool.drain()
            #expect(read == texts(20_000 - read.count..<20_000))
            #expect(Int(spool.counts.droppedOldest) + read.count == 20_000)
            // Others take the room: there is nothing left to remove.
            disk.empty()
            try disk.fill()
            for text in texts(0..<5000) { #expect(try spool.append(text) == .appended) }
            #expect(throws: SpoolError.self) { try spool.commit() }
            disk.empty()
            try spool.commit()
            let rest = try spool.drain()
            #expect(rest == texts(5000 - rest.count..<5000))
            #expect(Int(spool.counts.droppedOldest) + read.count + rest.count == 25_000)
            #expect(spool.counts.waitingRecords == 0)
            try spool.close()
        }
    }

    @Test("block waits for room that others give back, and loses nothing") func block() async throws {
        try await withSmallDisk { disk in
            let spool = try Spool(options(disk, .block))
            try disk.fill()
            let writer = DedicatedThread(name: "writer")
            async let writing: Void = writer.run {
                for text in texts(0..<1000) { try spool.append(text) }
                try spool.commit()
            }
            try await eventually("a writer that waits") { spool.counts.isDiskFull }
            disk.empty()
            try await writing
            #expect(try spool.drain() == texts(0..<1000))
            try spool.close()
        }
    }

    @Test("block waits for the reader on a full disk, and loses nothing") func blockForReader() async throws {
        try await withSmallDisk { disk in
            let spool = try Spool(options(disk, .block))
            let writer = DedicatedThread(name: "writer")
            async let writing: Void = writer.run {
                for text in texts(0..<10_000) { try spool.append(text) }
                try spool.commit()
            }
            try await eventually("a writer that waits") { spool.counts.isDiskFull }
            var read: [String] = []
            while read.count < 10_000 { read += try spool.drain() }
            try await writing
            #expect(read == texts(0..<10_000))
            try spool.close()
        }
    }

    @Test("a block that found no room is written in the background when there is some") func background() async throws {
        try await withSmallDisk { disk in
            let spool = try Spool(options(disk, .dropNewest))
            try disk.fill()
            try spool.append("waits")
            try spool.write()
            #expect(try spool.next() == nil)
            disk.empty()
            try await eventually("a written block") { spool.isReadable }
            #expect(try spool.drain() == ["waits"])
            try spool.close()
        }
    }

    @Test("a record that is to be stored at once is not kept in memory where the disk has no room")
    func storing() async throws {
        try await withSmallDisk { disk in
            let spool = try Spool(options(disk, .dropNewest, sync: .always))
            #expect(try spool.store("first") == .appended)
            try disk.fill()
            for number in 1...3 { #expect(try spool.store("refused \(number)".padding(to: 9_000)) == .dropped) }
            #expect(spool.counts.droppedNewest == 3 && spool.counts.waitingRecords == 1)
            disk.empty()
            #expect(try spool.store("second") == .appended)
            #expect(try spool.drain() == ["first", "second"])
            #expect(!spool.counts.isDiskFull)
            try spool.close()
            let again = try Spool(spool.options)
            #expect(again.recovery.waitingRecords == 0)
            #expect(try again.store("third") == .appended)
            #expect(try again.readAll() == ["third"])
            try again.close()
        }
    }

    @Test("closing on a full disk says how many records are lost, and keeps the others") func closing() async throws {
        try await withSmallDisk { disk in
            let spool = try Spool(options(disk, .block))
            for text in texts(0..<10) { try spool.append(text) }
            try spool.commit()
            try disk.fill()
            for text in texts(10..<110) { try spool.append(text) }
            let error = #expect(throws: SpoolError.self) { try spool.close() }
            #expect(error?.code == .full)
            #expect(error?.message.contains("100 records") == true)
            let again = try Spool(spool.options)
            #expect(try again.readAll() == texts(0..<10))
            try again.close()
        }
    }

    @Test("a spool is not made on a disk that is full") func noRoom() async throws {
        try await withSmallDisk { disk in
            try disk.fill()
            let error = #expect(throws: SpoolError.self) { try Spool(options(disk, .block)) }
            #expect(error?.code == .full)
        }
    }
}
