/// The inside of a JSON string in which each byte is the character of the same number (ISO 8859-1).
enum Latin1Text {
    /// The size of the text for some bytes.
    static func size(of bytes: UnsafeRawBufferPointer) -> Int {
        bytes.reduce(0) { $0 + ($1 >= 0x80 ? 2 : isPlain($1) ? 1 : JSONText.sizeOfEscape(of: $1)) }
    }

    /// Writes the text for some bytes, and returns its size; up to ``JSONText/slack`` bytes behind it are overwritten.
    static func write(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int {
        var out = target
        for byte in bytes {
            if byte >= 0x80 {
                out.storeBytes(of: 0xc0 | byte >> 6, as: UInt8.self)
                out.storeBytes(of: 0x80 | byte & 0x3f, toByteOffset: 1, as: UInt8.self)
                out += 2
            } else if isPlain(byte) {
                out.storeBytes(of: byte, as: UInt8.self)
                out += 1
            } else {
                out += JSONText.writeEscape(of: byte, to: out)
            }
        }
        return out - target
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
}
