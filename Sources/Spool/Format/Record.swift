/// A record in a block: its length and flag in four bytes, little-endian, then its bytes.
enum Record {
    /// How many bytes stand before those of the record.
    static let headerCount = 4
    /// The length has 24 bits, the flag the 8 above them.
    static let maximumCount = (1 << 24) - 1

    static func header(count: Int, flag: UInt8) -> UInt32 { UInt32(truncatingIfNeeded: count) | UInt32(flag) << 24 }
    static func count(in header: UInt32) -> Int { Int(header & 0xff_ffff) }
    static func flag(in header: UInt32) -> UInt8 { UInt8(header >> 24) }
}
