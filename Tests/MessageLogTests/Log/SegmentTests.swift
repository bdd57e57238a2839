import Checksums
import CivilTime
import Testing

@testable import MessageLog

@Suite struct SegmentTests {
    /// The example of docs/message-log.md.
    private static let example: [UInt8] = {
        var batch = MessageBatch()
        batch.append(Array("hello".utf8), at: UTCTime(microseconds: 1_700_000_000_000_001))
        batch.append(Array("".utf8), at: UTCTime(microseconds: -1))
        var draft = SegmentDraft(
            [batch.records[...]], count: batch.count, latest: UTCTime(microseconds: 1_700_000_000_000_001),
            writer: WriterID(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10), batch: 3)
        draft.place(number: 7, firstSequence: 1000, time: UTCTime(microseconds: 5))
        return draft.bytes
    }()

    @Test("the bytes of a segment are those of the format's page")
    func golden() {
        let expected = """
            4c 49 42 52 41 4c 4f 47 01 00 00 00 02 00 00 00
            07 00 00 00 00 00 00 00 e8 03 00 00 00 00 00 00
            01 40 1e 18 24 0a 06 00 08 07 06 05 04 03 02 01
            10 0f 0e 0d 0c 0b 0a 09 03 00 00 00 00 00 00 00
            1d 00 00 00 57 df 88 8a 00 00 00 00 ef aa a6 0e
            05 00 00 00 01 40 1e 18 24 0a 06 00 68 65 6c 6c
            6f 00 00 00 00 ff ff ff ff ff ff ff ff
            """
        #expect(hex(Self.example) == expected)
    }

    @Test("messages come out as they went in, in pieces of any size")
    func roundTrip() throws {
        let key = try RoutingKey("a.b")
        let bodies = [0, 1, 3, 70_000, 0, 255].map { count in (0..<count).map { UInt8(truncatingIfNeeded: $0) } }
        var batch = MessageBatch()
        for (index, body) in bodies.enumerated() { batch.append(body, at: UTCTime(microseconds: Int64(index))) }
        for limit in [1, 20, 70_030, Int.max] {
            for countLimit in [1, 2, 100] {
                var draft = SegmentDraft(
                    [batch.records[...]], count: batch.count, latest: UTCTime(microseconds: 5),
                    writer: WriterID(high: 1, low: 2), batch: 1)
                draft.place(number: 1, firstSequence: 1, time: UTCTime(microseconds: 0))
                let segment = try Segment(draft.bytes)
                var place = segment.start
                var messages: [Message] = []
                while !segment.isEnd(place) {
                    let some = segment.take(from: &place, bytes: limit, count: countLimit, key: key)
                    #expect((1...countLimit).contains(some.count))
                    messages += some
                }
                #expect(messages.map { Array($0.body) } == bodies)
                #expect(messages.map(\.position) == (1...6).map { .sequence($0) })
                #expect(messages.map(\.time.microseconds) == Array(0..<6))
                #expect(messages.allSatisfy { $0.key == key })
            }
        }
    }

    @Test("a place is found by number and by time")
    func search() throws {
        var batch = MessageBatch()
        for time in [5, 3, 9, 7] { batch.append(Array("x".utf8), at: UTCTime(microseconds: Int64(time))) }
        var draft = SegmentDraft(
            [batch.records[...]], count: 4, latest: UTCTime(microseconds: 9), writer: WriterID(high: 1, low: 2),
            batch: 1)
        draft.place(number: 1, firstSequence: 11, time: UTCTime(microseconds: 0))
        let segment = try Segment(draft.bytes)
        #expect(segment.header.time == UTCTime(microseconds: 9))
        #expect(segment.firstSequence(since: UTCTime(microseconds: 4)) == 11)
        #expect(segment.firstSequence(since: UTCTime(microseconds: 6)) == 13)
        #expect(segment.firstSequence(since: UTCTime(microseconds: 10)) == nil)
        var place = segment.start
        segment.skip(to: 13, &place)
        #expect(place.sequence == 13)
        segment.skip(to: 100, &place)
        #expect(segment.isEnd(place) && place.sequence == 15)
    }

    @Test("a change of any bit, and any missing or further byte, is found")
    func damage() {
        let example = Self.example
        for index in example.indices {
            for bit in 0..<8 {
                var bytes = example
                bytes[index] ^= 1 << bit
                #expect(throws: Segment.Fault.self) { try Segment(bytes) }
            }
            #expect(throws: Segment.Fault.self) { try Segment(Array(example[..<index])) }
        }
        #expect(throws: Segment.Fault.self) { try Segment(example + [0]) }
    }

    @Test("a later version is told from damage")
    func version() {
        var bytes = Self.example
        bytes[8] = 2
        reseal(&bytes)
        #expect(throws: Segment.Fault.unknownVersion(2)) { try Segment(bytes) }
    }

    @Test("what a writer got wrong is found behind intact checksums")
    func hostile() throws {
        // Lengths that lead out of the payload, or that do not fill it.
        for length: UInt8 in [4, 6, 255] {
            var bytes = Self.example
            bytes[SegmentHeader.byteCount] = length
            try reseal(&bytes, payload: true)
            #expect(throws: Segment.Fault.self) { try Segment(bytes) }
        }
        // Numbers that no segment has: message count, number, first sequence, payload bytes.
        for (offset, value) in [(12, 0), (12, 3), (16, 0), (23, 0x80), (24, 0), (31, 0x80), (64, 0), (67, 0x80)] {
            var bytes = Self.example
            if offset == 24 { bytes[25] = 0 }
            bytes[offset] = UInt8(value)
            reseal(&bytes)
            #expect(throws: Segment.Fault.self, "\(offset)") { try Segment(bytes) }
        }
    }

    @Test(
        "times that cannot be written, from whoever wrote them, are the nearest that can", arguments: [Int64.min, .max])
    func absurdTimes(time: Int64) throws {
        var bytes = Self.example
        withUnsafeBytes(of: time.littleEndian) {
            bytes.replaceSubrange(32..<40, with: $0)
            bytes.replaceSubrange((SegmentHeader.byteCount + 4)..<(SegmentHeader.byteCount + 12), with: $0)
        }
        try reseal(&bytes, payload: true)
        let segment = try Segment(bytes)
        let nearest = UTCTime(microseconds: time)
        #expect(UTCTime(nearest.description) == nearest)
        #expect(segment.header.time == nearest)
        var place = segment.start
        let messages = segment.take(from: &place, bytes: 1 << 20, count: 10, key: try RoutingKey("A"))
        #expect(messages.first?.time == nearest)
    }

    private func reseal(_ bytes: inout [UInt8]) {
        let checksum = bytes.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[..<76])) }
        withUnsafeBytes(of: checksum.littleEndian) { bytes.replaceSubrange(76..<80, with: $0) }
    }

    private func reseal(_ bytes: inout [UInt8], payload: Bool) throws {
        let checksum = bytes.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[80...])) }
        withUnsafeBytes(of: checksum.littleEndian) { bytes.replaceSubrange(68..<72, with: $0) }
        reseal(&bytes)
    }

    private func hex(_ bytes: [UInt8]) -> String {
        stride(from: 0, to: bytes.count, by: 16).map { start in
            bytes[start..<min(start + 16, bytes.count)].map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }.joined(separator: " ")
        }.joined(separator: "\n")
    }
}
