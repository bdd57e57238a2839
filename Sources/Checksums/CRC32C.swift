/// The checksum of RFC 3720 (Castagnoli's polynomial), sixteen bytes at a time.
package enum CRC32C {
    /// `tables[256 * k + b]` is the checksum of byte `b` followed by `k` zero bytes.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 16 * 256)
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
            tables[byte] = value
        }
        for index in 256..<16 * 256 {
            let previous = tables[index - 256]
            tables[index] = previous >> 8 ^ tables[Int(previous & 0xff)]
        }
        return tables
    }()

    /// The checksum of bytes; that of none is 0.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - before: The checksum of those in front of them, where they are not the first.
    /// - Returns: The checksum of all.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, continuing before: UInt32 = 0) -> UInt32 {
        guard let start = bytes.baseAddress else { return before }
        return tables.withUnsafeBufferPointer { tables in
            guard let table = tables.baseAddress else { return before }
            var value = ~before
            var offset = 0
            while offset + 16 <= bytes.count {
                let low = UInt64(littleEndian: (start + offset).loadUnaligned(as: UInt64.self)) ^ UInt64(value)
                let high = UInt64(littleEndian: (start + offset + 8).loadUnaligned(as: UInt64.self))
                value = eight(low, table + 8 * 256) ^ eight(high, table)
                offset += 16
            }
            while offset < bytes.count {
                value = value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ bytes[offset])]
                offset += 1
            }
            return ~value
        }
    }

    /// Eight bytes that `table` has the tables of, the first byte's table last.
    @inline(__always)
    private static func eight(_ word: UInt64, _ table: UnsafePointer<UInt32>) -> UInt32 {
        let first =
            table[7 * 256 + Int(word & 0xff)] ^ table[6 * 256 + Int(word >> 8 & 0xff)]
            ^ table[5 * 256 + Int(word >> 16 & 0xff)] ^ table[4 * 256 + Int(word >> 24 & 0xff)]
        let second =
            table[3 * 256 + Int(word >> 32 & 0xff)] ^ table[2 * 256 + Int(word >> 40 & 0xff)]
            ^ table[256 + Int(word >> 48 & 0xff)] ^ table[Int(word >> 56)]
        return first ^ second
    }
}
