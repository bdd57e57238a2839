/// The identity of a sender: a UUID (RFC 9562), random, or that of its spool where there is one.
public struct SenderID: Sendable, Hashable, CustomStringConvertible {
    let high: UInt64
    let low: UInt64

    /// Makes an identity that nobody else has: a UUID of version 4.
    public init() {
        high = .random(in: .min ... .max) & ~0xf000 | 0x4000
        low = .random(in: .min ... .max) & ~(0b11 << 62) | (0b10 << 62)
    }

    /// The identity of the sender that has a spool: a UUID of version 8 that follows from the spool's own number.
    ///
    /// Records keep their numbers in a spool, so the same line has the same id after a restart.
    public init(spool identity: UInt64) {
        high = identity & ~0xffff | 0x8000 | identity >> 4 & 0xfff
        low = 0b10 << 62 | identity & 0xf
    }

    /// The identity with these sixteen bytes, in network order.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads an identity from its text, as ``description`` has it; nil when it is none.
    public init?(_ text: some StringProtocol) {
        let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12] else { return nil }
        let digits = groups.joined()
        guard digits.allSatisfy(Self.isHexadecimal) else { return nil }
        let text = String(decoding: digits, as: UTF8.self)
        guard let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16) else {
            return nil
        }
        self.init(high: high, low: low)
    }

    /// The UUID in its usual form, in lower case.
    public var description: String {
        // It is written for each line where ids are shown.
        String(unsafeUninitializedCapacity: 36) { text in
            var place = 0
            for digit in 0..<32 {
                if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    text[place] = UInt8(ascii: "-")
                    place += 1
                }
                let word = digit < 16 ? high : low
                let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - digit % 16 * 4) & 0xf)
                text[place] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
                place += 1
            }
            return place
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
