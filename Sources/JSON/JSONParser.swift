extension JSONValue {
    /// How many arrays and objects may be open at once; one more is refused.
    public static let maximumDepth = 99

    /// What becomes of half of a surrogate pair, which is no character (RFC 8259 section 8.2).
    public enum LoneSurrogates: Sendable {
        /// The text is refused.
        case refused
        /// It is read as U+FFFD.
        case replaced
    }

    /// Reads one JSON text (RFC 8259), to the letter.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8 without a byte order mark. The caller sets a limit to the size; what is read takes a few times as
    ///     much memory.
    ///   - loneSurrogates: What becomes of half of a surrogate pair, such as `\udcff`.
    /// - Throws: ``JSONError`` for whatever the grammar does not allow, for a key that an object has twice, for half of a
    ///   surrogate pair unless it is replaced, and for more than ``maximumDepth`` levels.
    public init(parsing bytes: [UInt8], loneSurrogates: LoneSurrogates = .refused) throws(JSONError) {
        try checkUTF8(bytes)
        var parser = JSONParser(bytes: bytes, loneSurrogates: loneSurrogates)
        self = try parser.parseText()
    }
}

/// Refuses what is not UTF-8, so that the parser may make strings of any range of bytes between two ASCII characters.
private func checkUTF8(_ bytes: [UInt8]) throws(JSONError) {
    do throws(UTF8.ValidationError) {
        _ = try UTF8Span(validating: bytes.span)
    } catch {
        throw JSONError(code: .notUTF8, reason: "Not UTF-8", offset: error.byteOffsets.lowerBound)
    }
}

/// Reads a JSON text from its first byte to its last.
///
/// It goes one level down its own stack a level of nesting, which ``JSONValue/maximumDepth`` keeps within any thread's.
private struct JSONParser {
    private let bytes: [UInt8]
    private let loneSurrogates: JSONValue.LoneSurrogates
    private var position = 0
    private var depth = 0

    // The parts of all containers that are open, the innermost last: each container is allocated once, in its size.
    private var elements: [JSONValue] = []
    private var members: [JSONObject.Member] = []
    private var memberOffsets: [Int] = []

    init(bytes: [UInt8], loneSurrogates: JSONValue.LoneSurrogates) {
        self.bytes = bytes
        self.loneSurrogates = loneSurrogates
    }

    mutating func parseText() throws(JSONError) -> JSONValue {
        skipSpace()
        let value = try parseValue()
        skipSpace()
        guard position == bytes.count else { throw fault("Unexpected character after the value") }
        return value
    }

    private mutating func parseValue() throws(JSONError) -> JSONValue {
        guard let first = peek() else { throw fault("Expected a value") }
        switch first {
        case UInt8(ascii: "{"): return try nested { parser throws(JSONError) in try parser.parseObject() }
        case UInt8(ascii: "["): return try nested { parser throws(JSONError) in try parser.parseArray() }
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        default: throw fault("Expected a value")
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONError) -> JSONValue
    ) throws(JSONError) -> JSONValue {
        guard depth < JSONValue.maximumDepth else {
            throw JSONError(
                code: .tooDeep, reason: "Nested deeper than \(JSONValue.maximumDepth) levels", offset: position)
        }
        depth += 1
        defer { depth -= 1 }
        position += 1
        skipSpace()
        return try body(&self)
    }

    private mutating func parseArray() throws(JSONError) -> JSONValue {
        guard !skip("]") else { return .array([]) }
        let start = elements.count
        while true {
            elements.append(try parseValue())
            skipSpace()
            if skip("]") { break }
            guard skip(",") else { throw fault("Expected ',' or ']'") }
            skipSpace()
        }
        defer { elements.removeSubrange(start...) }
        return .array(Array(elements[start...]))
    }

    private mutating func parseObject() throws(JSONError) -> JSONValue {
        guard !skip("}") else { return .object(JSONObject()) }
        let start = members.count
        while true {
            let offset = position
            guard peek() == UInt8(ascii: "\"") else { throw fault("Expected a key in quotation marks") }
            let key = try parseString()
            skipSpace()
            guard skip(":") else { throw fault("Expected ':'") }
            skipSpace()
            let value = try parseValue()
            members.append(JSONObject.Member(key: key, value: value))
            memberOffsets.append(offset)
            skipSpace()
            if skip("}") { break }
            guard skip(",") else { throw fault("Expected ',' or '}'") }
            skipSpace()
        }
        defer {
            members.removeSubrange(start...)
            memberOffsets.removeSubrange(start...)
        }
        do throws(DuplicateKey) {
            return .object(try JSONObject(members: Array(members[start...])))
        } catch {
            throw JSONError(
                code: .duplicateKey, reason: "Key \(members[start + error.place].key.quoted) stands there twice",
                offset: memberOffsets[start + error.place])
        }
    }

    private mutating func parseString() throws(JSONError) -> String {
        var scanner = JSONStringScanner(bytes: bytes, from: position + 1, loneSurrogates: loneSurrogates)
        let string = try scanner.scan()
        position = scanner.position
        return string
    }

    private mutating func parseNumber() throws(JSONError) -> JSONValue {
        var scanner = JSONNumberScanner(bytes: bytes, from: position)
        switch scanner.scan() {
        case .end(let end):
            defer { position = end }
            return .number(JSONNumber(checked: String(decoding: bytes[position..<end], as: UTF8.self)))
        case .fault(let offset):
            position = offset
            throw fault("Expected a digit")
        }
    }

    private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let end = position + word.utf8CodeUnitCount
        let isWord = word.withUTF8Buffer { end <= bytes.count && bytes[position..<end].elementsEqual($0) }
        guard isWord else { throw fault("Expected a value") }
        position = end
        return value
    }

    private func peek() -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    private func fault(_ reason: String) -> JSONError {
        let reason = position < bytes.count ? reason : reason + ", not the end of the text,"
        return JSONError(code: .syntax, reason: reason, offset: position)
    }
}
