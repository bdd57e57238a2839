/// Base64 with padding and without line breaks (RFC 4648, section 4).
enum Base64Text {
    /// The size of the text for so many bytes.
    static func size(of count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Writes the text for some bytes, and returns its size.
    static func write(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int {
        var out = target
        var place = 0
        while place < bytes.count {
            let second = place + 1 < bytes.count ? bytes[place + 1] : 0
            let third = place + 2 < bytes.count ? bytes[place + 2] : 0
            let bits = UInt32(bytes[place]) << 16 | UInt32(second) << 8 | UInt32(third)
            for digit in 0..<4 {
                let isPadding = place + digit > bytes.count
                let value = UInt8(truncatingIfNeeded: bits >> UInt32(18 - 6 * digit)) & 0x3f
                out.storeBytes(of: isPadding ? UInt8(ascii: "=") : character(of: value), as: UInt8.self)
                out += 1
            }
            place += 3
        }
        return out - target
    }

    private static func character(of value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}
