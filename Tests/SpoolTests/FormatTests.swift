import Spool
import SystemPackage
import TestServers
import Testing

@Suite struct FormatTests {
    @Test("a segment has the bytes that docs/spool.md says") func layout() async throws {
        try await withTemporaryFolder { folder in
            let spool = try Spool(SpoolOptions(directory: FilePath("\(folder)/spool"), sync: .never))
            try spool.append("first", flag: 7)
            try spool.append("")
            try spool.close()
            #expect(segmentNames("\(folder)/spool") == ["00000000000000000001.segment"])
            let bytes = try readBytes("\(folder)/spool/00000000000000000001.segment")
            func number(_ offset: Int, _ count: Int) -> UInt64 {
                bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
            }
            #expect(bytes.count == 64 + 40 + 4 + 5 + 4)
            #expect(Array(bytes[0..<8]) == Array("LIBSPOOL".utf8))
            #expect(number(8, 4) == 1)
            #expect(number(24, 8) == 1 && number(32, 8) == 0)
            #expect(number(40, 8) == spool.identity)
            #expect(number(60, 4) == UInt64(checksum(bytes[0..<60])))
            #expect(number(64, 8) == number(16, 8))
            #expect(number(72, 4) == 13 && number(76, 4) == 2)
            #expect(number(80, 8) == 1 && number(88, 8) == 0)
            #expect(number(96, 4) == UInt64(checksum(bytes[104...])))
            #expect(number(100, 4) == UInt64(checksum(bytes[64..<100])))
            #expect(number(104, 4) == 7 << 24 | 5)
            #expect(Array(bytes[108..<113]) == Array("first".utf8))
            #expect(number(113, 4) == 0)
        }
    }

    @Test("the checksum is that of RFC 3720") func checksums() {
        #expect(checksum(Array("123456789".utf8)[...]) == 0xe306_9283)
    }
}
