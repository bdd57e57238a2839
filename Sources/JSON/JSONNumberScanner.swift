/// Finds the end of a number (RFC 8259 section 6).
struct JSONNumberScanner {
    /// Where the number ends, or where it stops being one.
    enum Outcome: Equatable {
        case end(Int)
        case fault(Int)
    }

    private let bytes: [UInt8]
    private var position: Int

    init(bytes: [UInt8], from position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    mutating func scan() -> Outcome {
        skip("-")
        if skip("0") {
            // Nothing more of the whole part may follow: "01" is no number.
        } else if !skipDigits() {
            return .fault(position)
        }
        if skip("."), !skipDigits() { return .fault(position) }
        if skip("e") || skip("E") {
            if !skip("+") { skip("-") }
            if !skipDigits() { return .fault(position) }
        }
        return .end(position)
    }

    @discardableResult
    private mutating func skip(_ byte: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    private mutating func skipDigits() -> Bool {
        let start = position
        while position < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[position] { position += 1 }
        return position > start
    }
}
