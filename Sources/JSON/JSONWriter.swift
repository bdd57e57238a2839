extension JSONValue: CustomStringConvertible {
    /// The value as JSON text without any space.
    public var description: String { String(decoding: bytes(), as: UTF8.self) }

    /// Writes the value as JSON text in UTF-8.
    ///
    /// - Parameter pretty: With a line for each member and two spaces a level, for people; else without any space.
    /// - Returns: The text, without a line end after it.
    public func bytes(pretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(isPretty: pretty)
        writer.write(self)
        return writer.output
    }
}

/// Writes JSON text.
private struct JSONWriter {
    private(set) var output: [UInt8] = []
    private let isPretty: Bool
    private var level = 0

    init(isPretty: Bool) {
        self.isPretty = isPretty
    }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: append("null")
        case .bool(let bool): append(bool ? "true" : "false")
        case .number(let number): append(number.description)
        case .string(let string): write(string)
        case .array(let array):
            writeContainer("[", array, "]") { $0.write($1) }
        case .object(let object):
            writeContainer("{", object.members, "}") { writer, member in
                writer.write(member.key)
                writer.append(writer.isPretty ? ": " : ":")
                writer.write(member.value)
            }
        }
    }

    private mutating func writeContainer<Part>(
        _ open: StaticString, _ parts: [Part], _ close: StaticString, _ write: (inout JSONWriter, Part) -> Void
    ) {
        append(open)
        level += 1
        for (place, part) in parts.enumerated() {
            if place > 0 { append(",") }
            breakLine()
            write(&self, part)
        }
        level -= 1
        if !parts.isEmpty { breakLine() }
        append(close)
    }

    private mutating func breakLine() {
        guard isPretty else { return }
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * level))
    }

    private mutating func write(_ string: String) {
        output.append(UInt8(ascii: "\""))
        var string = string
        string.withUTF8 { bytes in
            var written = 0
            for (place, byte) in bytes.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5c {
                output.append(contentsOf: bytes[written..<place])
                writeEscape(byte)
                written = place + 1
            }
            output.append(contentsOf: bytes[written...])
        }
        output.append(UInt8(ascii: "\""))
    }

    private mutating func writeEscape(_ byte: UInt8) {
        switch byte {
        case 0x22: append("\\\"")
        case 0x5c: append("\\\\")
        case 0x08: append("\\b")
        case 0x0c: append("\\f")
        case 0x0a: append("\\n")
        case 0x0d: append("\\r")
        case 0x09: append("\\t")
        default:
            append(byte < 0x10 ? "\\u000" : "\\u00")
            append(String(byte, radix: 16))
        }
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { output.append(contentsOf: $0) }
    }

    private mutating func append(_ text: String) {
        output.append(contentsOf: text.utf8)
    }
}
