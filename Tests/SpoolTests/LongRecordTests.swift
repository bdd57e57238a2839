import DedicatedThread
import Glibc
import Spool
import SystemPackage
import TestServers
import Testing

/// Records of more than 256 KiB, which are in memory nowhere as a whole.
@Suite(.timeLimit(.minutes(1))) struct LongRecordTests {
    private static let length = 700_001

    @Test(
        "a long record whose bytes come in pieces is written at once, in order with short ones, and can be left on the disk",
        arguments: [SyncPolicy.always, .interval(.milliseconds(5)), .never])
    func pieces(sync: SyncPolicy) async throws {
        try await withSpool(limit: 16 << 20, sync: sync) { spool in
            try spool.append("before")
            #expect(try spool.append(number: 1, flag: 9) == .appended)
            #expect(spool.isReadable)
            try spool.append("between")
            #expect(try spool.append(number: 2) == .appended)
            guard case .block(let first)? = try spool.nextDelivery() else { throw TestServerError("no block") }
            #expect(first.map(\.text) == ["before"])
            guard case .long(let record)? = try spool.nextDelivery() else { throw TestServerError("no long record") }
            #expect(record.count == Self.length && record.flag == 9)
            #expect(record.sequence == 2 && record.missingBefore == 0)
            #expect(try record.bytes() == longBytes(1))
            // It can be read again, and also when its segment is gone.
            #expect(try spool.drain() == ["between", String(decoding: longBytes(2), as: UTF8.self)])
            for name in segmentNames(spool.options.directory.string) { unlink("\(spool.options.directory)/\(name)") }
            #expect(try record.bytes() == longBytes(1))
            try spool.append("after")
            try spool.write()
            #expect(try spool.drain() == ["after"])
            #expect(spool.counts.corruptRecords == 0 && spool.counts.waitingRecords == 0)
        }
    }

    @Test("short records may come in pieces too") func shortPieces() async throws {
        try await withSpool { spool in
            for number in 0..<100 {
                let text = Array("record \(number)".utf8)
                let result = try spool.append(count: text.count, flag: 3) { take in
                    for byte in text { withUnsafeBytes(of: byte) { take($0) } }
                }
                #expect(result == .appended)
            }
            try spool.write()
            var records: [String] = []
            while let block = try spool.next() {
                #expect(block.allSatisfy { $0.flag == 3 })
                records += block.map(\.text)
            }
            #expect(records == (0..<100).map { "record \($0)" })
        }
    }

    @Test("a long record is there after a restart, wherever the reader was") func restart() async throws {
        try await withTemporaryFolder { folder in
            let options = SpoolOptions(directory: FilePath("\(folder)/spool"), sync: .never)
            let first = try Spool(options)
            for number in 0..<3 { try first.append(number: number) }
            guard case .long(let record)? = try first.nextDelivery() else { throw TestServerError("no long record") }
            try first.acknowledge(through: record.sequence)
            try first.close()
            let second = try Spool(options)
            #expect(second.recovery.waitingRecords == 2 && second.recovery.tornBytes == 0)
            try second.append("after")
            try second.write()
            #expect(try second.readAll() == (1..<3).map { String(decoding: longBytes($0), as: UTF8.self) } + ["after"])
            try second.close()
        }
    }

    @Test("a damaged byte of a long record costs that record, and nothing behind it", arguments: [0, 10, 300_000])
    func damage(place: Int) async throws {
        try await withTemporaryFolder { folder in
            let options = SpoolOptions(directory: FilePath("\(folder)/spool"), sync: .never)
            let spool = try Spool(options)
            for number in 0..<2 { try spool.append(number: number) }
            try spool.append("after")
            try spool.close()
            let segment = "\(folder)/spool/" + (segmentNames("\(folder)/spool").first ?? "")
            var bytes = try readBytes(segment)
            // Behind the headers of the segment, of the block and of the record.
            bytes[64 + 40 + 4 + place] ^= 0x10
            try writeBytes(bytes, to: segment)
            let again = try Spool(options)
            guard case .long(let record)? = try again.nextDelivery() else { throw TestServerError("no long record") }
            #expect(record.missingBefore == 1)
            #expect(try record.bytes() == longBytes(1))
            #expect(try again.readAll() == ["after"])
            #expect(again.counts.corruptRecords == 1 && again.counts.corruptPlaces == 1)
            try again.close()
        }
    }

    @Test("a length that is not the block's is damage, though the checksum is right") func wrongLength() async throws {
        try await withTemporaryFolder { folder in
            let options = SpoolOptions(directory: FilePath("\(folder)/spool"), sync: .never)
            let spool = try Spool(options)
            try spool.append(number: 0)
            try spool.append("after")
            try spool.close()
            let segment = "\(folder)/spool/" + (segmentNames("\(folder)/spool").first ?? "")
            var bytes = try readBytes(segment)
            bytes[64 + 40] ^= 1
            // Both checksums, made anew: of the payload at 32, of the header at 36.
            let payload = bytes[64 + 40..<64 + 40 + 4 + Self.length]
            bytes.replaceSubrange(64 + 32..<64 + 36, with: littleEndianChecksum(of: payload))
            bytes.replaceSubrange(64 + 36..<64 + 40, with: littleEndianChecksum(of: bytes[64..<64 + 36]))
            try writeBytes(bytes, to: segment)
            let again = try Spool(options)
            #expect(try again.readAll() == ["after"])
            #expect(again.counts.corruptRecords == 1)
            try again.close()
        }
    }

    @Test(
        "what was written of a long record when its process ended is cut off", arguments: [1, 40, 44, 300_000, 700_044])
    func torn(count: Int) async throws {
        try await withTemporaryFolder { folder in
            let options = SpoolOptions(directory: FilePath("\(folder)/spool"), sync: .never)
            let spool = try Spool(options)
            try spool.append("before")
            try spool.write()
            let segment = "\(folder)/spool/" + (segmentNames("\(folder)/spool").first ?? "")
            let start = try readBytes(segment).count
            let cursor = try readBytes("\(folder)/spool/cursor")
            try spool.append(number: 0)
            try spool.close()
            // A process that is killed leaves the cursor as it was.
            try writeBytes(cursor, to: "\(folder)/spool/cursor")
            // The header is written last: until then there are zeros.
            var bytes = Array(try readBytes(segment).prefix(start + count))
            for place in start..<min(start + 40, bytes.count) { bytes[place] = 0 }
            try writeBytes(bytes, to: segment)
            let again = try Spool(options)
            #expect(again.recovery.tornBytes == count)
            try again.append("after")
            try again.write()
            #expect(try again.readAll() == ["before", "after"])
            #expect(again.counts.corruptPlaces == 0)
            try again.close()
        }
    }

    @Test("a record that is changed between being found and being read is an error, not a line") func changed()
        async throws
    {
        try await withSpool(limit: 16 << 20) { spool in
            try spool.append(number: 0)
            guard case .long(let record)? = try spool.nextDelivery() else { throw TestServerError("no long record") }
            let segment = "\(spool.options.directory)/" + (segmentNames(spool.options.directory.string).first ?? "")
            let file = open(segment, O_WRONLY | O_CLOEXEC)
            #expect(pwrite(file, "?", 1, 400_000) == 1)
            #expect(throws: SpoolError.self) { try record.bytes() }
            #expect(ftruncate(file, 1000) == 0)
            let error = #expect(throws: SpoolError.self) { try record.bytes() }
            #expect(error?.code == .systemError)
            close(file)
        }
    }

    @Test("a long record for which the disk has no room is refused, and leaves nothing behind") func fullDisk()
        async throws
    {
        try await withSmallDisk(kilobytes: 1024) { disk in
            let spool = try Spool(
                SpoolOptions(
                    directory: FilePath("\(disk.path)/spool"), limit: 16 << 20, sync: .never, whenFull: .dropNewest))
            #expect(try spool.append(number: 0) == .appended)
            #expect(try spool.append(number: 1) == .dropped)
            #expect(spool.counts.droppedNewest == 1 && spool.counts.waitingRecords == 1)
            // What had been written of it is gone.
            #expect(try spool.append("short") == .appended)
            try spool.commit()
            #expect(try spool.drain() == [String(decoding: longBytes(0), as: UTF8.self), "short"])
            try await eventually("an attempt") { try spool.append(number: 2) == .appended }
            #expect(try spool.drain().count == 1)
            #expect(spool.counts.corruptRecords == 0)
            try spool.close()
        }
    }

    @Test("a long record waits for room that others give back on a full disk") func waiting() async throws {
        try await waitingForRoom(until: { _, disk in disk.empty() }) { spool, result throws in
            #expect(result == .appended)
            #expect(try spool.drain() == [String(decoding: longBytes(0), as: UTF8.self)])
        }
    }

    @Test("an interruption ends a long record's wait for room, and it was not taken") func interrupted() async throws {
        try await waitingForRoom(until: { spool, _ in spool.interrupt() }) { spool, result in
            #expect(result == .interrupted)
            #expect(spool.counts.waitingRecords == 0)
        }
    }

    /// Has a writer wait with a long record for room on a full disk until something ends that, and looks at what came of it.
    private func waitingForRoom(
        until end: (Spool, SmallDisk) -> Void, _ check: (Spool, Spool.Appending) throws -> Void
    ) async throws {
        try await withSmallDisk(kilobytes: 1024) { disk in
            let spool = try Spool(
                SpoolOptions(directory: FilePath("\(disk.path)/spool"), limit: 16 << 20, sync: .never))
            try disk.fill()
            let writer = DedicatedThread(name: "writer")
            async let result = writer.run { try spool.append(number: 0) }
            try await eventually("a writer that waits") { spool.counts.isDiskFull }
            end(spool, disk)
            try check(spool, try await result)
            disk.empty()
            try spool.close()
        }
    }

    private func littleEndianChecksum(of bytes: ArraySlice<UInt8>) -> [UInt8] {
        // Bit by bit, as in RFC 3720.
        var value = ~UInt32(0)
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
        }
        return withUnsafeBytes(of: (~value).littleEndian) { Array($0) }
    }
}

/// The bytes of a long record, which differ from place to place and from number to number.
private func longBytes(_ number: Int) -> [UInt8] {
    (0..<700_001).map { UInt8(ascii: "a") + UInt8(($0 / 1000 + number) % 26) }
}

extension Spool {
    /// Appends a long record in pieces of several sizes.
    @discardableResult
    fileprivate func append(number: Int, flag: UInt8 = 0) throws -> Appending {
        let bytes = longBytes(number)
        return try append(count: bytes.count, flag: flag) { take in
            bytes.withUnsafeBytes { bytes in
                var rest = bytes[...]
                var size = 1
                while !rest.isEmpty {
                    let piece = rest.prefix(size)
                    take(UnsafeRawBufferPointer(rebasing: piece))
                    rest = rest.dropFirst(piece.count)
                    size = size % 50_000 * 3 + 1
                }
            }
        }
    }
}

extension SpoolLongRecord {
    fileprivate func bytes() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try read(into: $0) }
        return bytes
    }
}
