/// Reads one string (RFC 8259 section 7) of a text that is known to be UTF-8.
struct JSONStringScanner {
    private let bytes: [UInt8]
    private let loneSurrogates: JSONValue.LoneSurrogates

    /// The next byte to read; after ``scan()`` the one behind the closing quotation mark.
    private(set) var position: Int

    /// Creates a scanner that begins behind the opening quotation mark.
    init(bytes: [UInt8], from position: Int, loneSurrogates: JSONValue.LoneSurrogates) {
        self.bytes = bytes
        self.loneSurrogates = loneSurrogates
        self.position = position
    }

    mutating func scan() throws(JSONError) -> String {
        let start = position
        skipPlain()
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
            defer { position += 1 }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
        return try scanEscaped(from: start)
    }

    /// Reads on at the first byte that is not plain.
    private mutating func scanEscaped(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                try scanEscape(into: &text)
            case ..<0x20:
                throw fault("Unescaped control character in a string")
            default:
                let start = position
                skipPlain()
                text.append(contentsOf: bytes[start..<position])
            }
        }
        throw fault("String without an end")
    }

    private mutating func skipPlain() {
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return }
            position += 1
        }
    }

    private mutating func scanEscape(into text: inout [UInt8]) throws(JSONError) {
        guard position + 1 < bytes.count else { throw fault("String without an end") }
        let plain: UInt8
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = bytes[position + 1]
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0c
        case UInt8(ascii: "n"): plain = 0x0a
        case UInt8(ascii: "r"): plain = 0x0d
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "u"):
            text.append(contentsOf: String(try scanScalar()).utf8)
            return
        default: throw fault("Unknown escape in a string")
        }
        text.append(plain)
        position += 2
    }

    /// Reads `\uXXXX`, or two of them that make a surrogate pair.
    private mutating func scanScalar() throws(JSONError) -> Unicode.Scalar {
        let start = position
        let first = try scanCodeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        let end = position
        if UTF16.isLeadSurrogate(first), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        {
            let second = try scanCodeUnit()
            let value = 0x10000 + UInt32(first & 0x3ff) << 10 + UInt32(second & 0x3ff)
            if UTF16.isTrailSurrogate(second), let scalar = Unicode.Scalar(value) { return scalar }
        }
        if loneSurrogates == .replaced {
            // What follows may be a character of its own.
            position = end
            return "\u{fffd}"
        }
        throw JSONError(code: .loneSurrogate, reason: "Half of a surrogate pair in a string", offset: start)
    }

    private mutating func scanCodeUnit() throws(JSONError) -> UInt16 {
        let end = position + 6
        var unit: UInt16 = 0
        for place in position + 2..<end {
            guard place < bytes.count, let digit = bytes[place].hexDigitValue else {
                position = place
                throw fault("Expected a hexadecimal digit")
            }
            unit = unit << 4 | digit
        }
        position = end
        return unit
    }

    private func fault(_ reason: String) -> JSONError {
        JSONError(code: .syntax, reason: reason, offset: min(position, bytes.count))
    }
}

extension UInt8 {
    fileprivate var hexDigitValue: UInt16? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(self - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(self - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(self - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
