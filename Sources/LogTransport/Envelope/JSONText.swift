import Glibc

/// The inside of a JSON string (RFC 8259, section 7) for bytes that should be UTF-8, eight of them at a time.
///
/// Only quotation mark, backslash and the characters below U+0020 are escaped; all others are written as they are.
enum JSONText {
    /// How much text there is, and whether it stands for all bytes.
    struct Result {
        /// The size of the text in bytes.
        var size: Int
        /// Whether the bytes were UTF-8.
        var isValid = true
    }

    /// What is done at bytes that are not UTF-8.
    enum AtInvalid {
        /// U+FFFD is written in their place.
        case replace
        /// Nothing more is written.
        case stop
    }

    /// The most bytes of text that one byte becomes, `\u001f`.
    static let mostPerByte = 6
    /// How many bytes behind the text may be overwritten.
    static let slack = 8

    /// Writes the text.
    ///
    /// - Parameters:
    ///   - bytes: What the text stands for.
    ///   - target: Room for the text and ``slack`` more.
    ///   - atInvalid: What is done at bytes that are not UTF-8.
    /// - Returns: The size of the text.
    @inline(__always)
    static func write(
        _ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, atInvalid: AtInvalid
    ) -> Result {
        var scan = Scan(bytes)
        var out = target
        var isValid = true
        while scan.left > 0 {
            let word = scan.nextWord()
            out.storeBytes(of: word.littleEndian, as: UInt64.self)
            let plain = scan.skipPlain(of: word)
            out += plain
            guard plain < 8, scan.left > 0 else { continue }
            let byte = scan.nextByte
            if byte < 0x80 {
                out += writeEscape(of: byte, to: out)
                scan.skip(1)
                continue
            }
            switch scan.nextSequence {
            case .character(let count):
                // Mostly it is there already, with the word.
                if plain + count > 8 { memcpy(out, scan.position, count) }
                out += count
                scan.skip(count)
            case .invalid(let count):
                isValid = false
                if atInvalid == .stop { return Result(size: out - target, isValid: false) }
                out.storeBytes(of: UInt32(0x00bd_bfef).littleEndian, as: UInt32.self)
                out += 3
                scan.skip(count)
            }
        }
        return Result(size: out - target, isValid: isValid)
    }

    /// The size of what ``write(_:to:atInvalid:)`` would write.
    static func measure(_ bytes: UnsafeRawBufferPointer, atInvalid: AtInvalid) -> Result {
        var scan = Scan(bytes)
        var result = Result(size: 0)
        while scan.left > 0 {
            let plain = scan.skipPlain(of: scan.nextWord())
            result.size += plain
            guard plain < 8, scan.left > 0 else { continue }
            let byte = scan.nextByte
            if byte < 0x80 {
                result.size += sizeOfEscape(of: byte)
                scan.skip(1)
                continue
            }
            switch scan.nextSequence {
            case .character(let count):
                result.size += count
                scan.skip(count)
            case .invalid(let count):
                result.isValid = false
                if atInvalid == .stop { return result }
                result.size += 3
                scan.skip(count)
            }
        }
        return result
    }

    /// Writes what stands for a byte that cannot stand for itself, and up to eight bytes behind; returns its size.
    @inline(__always) static func writeEscape(of byte: UInt8, to target: UnsafeMutableRawPointer) -> Int {
        if let letter = shortEscape(of: byte) {
            target.storeBytes(of: UInt16(letter) << 8 | UInt16(UInt8(ascii: "\\")), as: UInt16.self)
            return 2
        }
        // "\u00" and two hexadecimal digits, the first of which is 0 or 1.
        let low = byte & 0xf
        let digits = (UInt64(0x30 + (byte >> 4)), UInt64(low < 10 ? 0x30 + low : 0x57 + low))
        target.storeBytes(of: (0x3030_755c | digits.0 << 32 | digits.1 << 40).littleEndian, as: UInt64.self)
        return 6
    }

    /// The size of what ``writeEscape(of:to:)`` writes.
    static func sizeOfEscape(of byte: UInt8) -> Int { shortEscape(of: byte) == nil ? 6 : 2 }

    @inline(__always) private static func shortEscape(of byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte
        case 0x08: UInt8(ascii: "b")
        case 0x09: UInt8(ascii: "t")
        case 0x0a: UInt8(ascii: "n")
        case 0x0c: UInt8(ascii: "f")
        case 0x0d: UInt8(ascii: "r")
        default: nil
        }
    }
}

/// A place in bytes that become JSON text.
private struct Scan {
    private(set) var position: UnsafeRawPointer
    private(set) var left: Int
    private let total: Int

    @inline(__always) init(_ bytes: UnsafeRawBufferPointer) {
        // Without a byte there is nothing to point at, and the position is never read.
        position = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
        left = bytes.count
        total = bytes.count
    }

    /// The next eight bytes, the first one lowest; behind the end there are zeros, and nothing is read.
    @inline(__always) func nextWord() -> UInt64 {
        if left >= 8 { return UInt64(littleEndian: position.loadUnaligned(as: UInt64.self)) }
        if total >= 8 {
            let last = (position + left - 8).loadUnaligned(as: UInt64.self)
            return UInt64(littleEndian: last) >> UInt64(8 * (8 - left))
        }
        var word: UInt64 = 0
        for place in 0..<left {
            word |= UInt64(position.load(fromByteOffset: place, as: UInt8.self)) << UInt64(8 * place)
        }
        return word
    }

    /// Skips those of the next eight bytes that stand for themselves, up to the first that does not; returns how many.
    @inline(__always) mutating func skipPlain(of word: UInt64) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotationMarks = (word ^ (ones &* 0x22)) &- ones
        let backslashes = (word ^ (ones &* 0x5c)) &- ones
        let controls = word &- (ones &* 0x20)
        // The highest bit of a byte is set where it is one of these or not ASCII. A borrow sets it by mistake only above
        // such a byte, and only the lowest counts.
        let special = (quotationMarks | backslashes | controls | word) & (ones &* 0x80)
        let plain = min(special.trailingZeroBitCount >> 3, left)
        skip(plain)
        return plain
    }

    @inline(__always) mutating func skip(_ count: Int) {
        position += count
        left -= count
    }

    @inline(__always) var nextByte: UInt8 { position.load(as: UInt8.self) }
    @inline(__always) var nextSequence: UTF8Sequence { UTF8Sequence(at: position, count: left) }
}
