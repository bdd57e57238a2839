import Checksums
import Testing

@Suite struct ChecksumsTests {
    @Test(
        "checksums are those of RFC 3720, appendix B.4",
        arguments: [
            (Array("123456789".utf8), 0xe306_9283), ([], 0), ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
            ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43), (Array(0..<32), 0x46dd_794e),
            (Array((0..<32).reversed()), 0x113f_db5c),
        ] as [([UInt8], UInt32)])
    func vectors(bytes: [UInt8], checksum: UInt32) {
        #expect(bytes.withUnsafeBytes { CRC32C.checksum($0) } == checksum)
        for place in bytes.indices {
            let first = bytes[..<place].withUnsafeBytes { CRC32C.checksum($0) }
            #expect(bytes[place...].withUnsafeBytes { CRC32C.checksum($0, continuing: first) } == checksum)
        }
    }

    @Test("a change of any bit of a sealed header shows")
    func seal() {
        var fields = SealedFields(count: 20)
        fields[3] = UInt64(0x0102_0304_0506_0708)
        fields.seal()
        #expect(fields.isIntact && fields[3] as UInt64 == 0x0102_0304_0506_0708)
        for bit in 0..<160 {
            var bytes = fields.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            let isIntact = bytes.withUnsafeBytes { SealedFields($0, count: 20)?.isIntact }
            #expect(isIntact == false)
        }
    }

    @Test("fewer bytes than a header has are none")
    func short() {
        #expect([UInt8](repeating: 0, count: 19).withUnsafeBytes { SealedFields($0, count: 20)?.bytes } == nil)
    }
}
