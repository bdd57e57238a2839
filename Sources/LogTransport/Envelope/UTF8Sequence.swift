/// What the bytes at one place are in UTF-8 (The Unicode Standard, section 3.9, table 3-7).
enum UTF8Sequence: Equatable {
    /// A character of so many bytes.
    case character(Int)
    /// No character; so many bytes, at least one, are to be replaced as one: the longest beginning of a character.
    case invalid(Int)

    /// Looks at the bytes that begin with one that is not ASCII.
    ///
    /// - Parameters:
    ///   - start: The first byte, 0x80 or above.
    ///   - count: How many bytes there are, at least 1.
    @inline(__always) init(at start: UnsafeRawPointer, count: Int) {
        let first = start.load(as: UInt8.self)
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch first {
        case 0xc2...0xdf: length = 2
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        // Without the surrogates.
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: length = 3
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: length = 4
        // Up to U+10FFFF.
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        default:
            self = .invalid(1)
            return
        }
        guard count >= 2, second.contains(start.load(fromByteOffset: 1, as: UInt8.self)) else {
            self = .invalid(1)
            return
        }
        for place in 2..<max(length, 2) {
            guard place < count, start.load(fromByteOffset: place, as: UInt8.self) & 0xc0 == 0x80 else {
                self = .invalid(place)
                return
            }
        }
        self = .character(length)
    }
}
