import JSON
import Testing

@Suite struct JSONParserTests {
    @Test(
        "every form of the grammar is read",
        arguments: [
            ("null", JSONValue.null), (" \t\r\n true \n", true), ("false", false), ("0", 0), ("-0", number("-0")),
            ("12.50e+10", number("12.50e+10")), ("1E-2", number("1E-2")), (#""""#, ""), ("[]", []), ("[ ]", []),
            ("{}", [:]), ("{ }", [:]), (#"[1 , [ 2 ] ,{"a" : 0}]"#, [1, [2], ["a": 0]]),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e9\u00E9""#, "éé"),
            (#""\ud83d\ude00 \u0000""#, "😀 \0"), (#""é😀""#, "é😀"), ("\"\u{7f}\"", "\u{7f}"),
        ] as [(String, JSONValue)])
    func accepted(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue(parsing: Array(text.utf8)) == value)
    }

    @Test(
        "what the grammar does not allow is refused, with the place of the fault",
        arguments: [
            ("", 0), ("  ", 2), ("nul", 0), ("nulL", 0), ("TRUE", 0), ("tru", 0), ("fals", 0), ("1 2", 2), ("{}}", 2),
            ("[", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("]", 0),
            ("{", 1), (#"{"a""#, 4), (#"{"a":"#, 5), (#"{"a":1"#, 6), (#"{"a":1,"#, 7), (#"{"a":1,}"#, 7),
            (#"{a:1}"#, 1), (#"{"a" 1}"#, 5), (#"{"a":1 "b":2}"#, 7), (#"{1:2}"#, 1), ("{'a':1}", 1),
            ("01", 1), ("-", 1), ("+1", 0), (".5", 0), ("1.", 2), ("1.e1", 2), ("1e", 2), ("1e+", 3), ("--1", 1),
            ("0x10", 1), ("NaN", 0), ("Infinity", 0), ("-Infinity", 1), ("1_000", 1),
            (#"""#, 1), (#""a"#, 2), (#""\"#, 1), (#""\x""#, 1), (#""\u12""#, 5), (#""\u12g4""#, 5), (#""\u123"#, 6),
            ("\"a\nb\"", 2), ("\"\0\"", 1), ("\"\\n\u{1f}\"", 3), ("\u{feff}{}", 0), ("/* */ 1", 0), ("1 // x", 2),
            ("\u{a0}1", 0), ("\u{0b}1", 0),
        ])
    func refused(_ text: String, _ offset: Int) throws {
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
        #expect(error.code == .syntax)
        #expect(error.offset == offset)
        #expect(error.message.hasSuffix("at byte \(offset)"))
        #expect(!error.isRetriable && error.cause == nil)
    }

    @Test(
        "bytes that are not UTF-8 are refused, inside strings and outside",
        arguments: [
            [0xff], [0x22, 0x80, 0x22], [0x22, 0xc0, 0xaf, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
            [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xe2, 0x82],
        ] as [[UInt8]])
    func notUTF8(_ bytes: [UInt8]) throws {
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: bytes) }
        #expect(error.code == .notUTF8)
        #expect(error.offset == (bytes[0] == 0x22 ? 1 : 0))
    }

    @Test(
        "half of a surrogate pair is read as U+FFFD where that is wanted, and what follows as it is",
        arguments: [
            (#"\udcff"#, "\u{fffd}"), (#"a\ud83dz"#, "a\u{fffd}z"), (#"\ud83d\u0041"#, "\u{fffd}A"),
            (#"\ud83d\ud83d\ude00"#, "\u{fffd}😀"), (#"\ud83d\n"#, "\u{fffd}\n"), (#"\ude00\ud83d"#, "\u{fffd}\u{fffd}"),
        ])
    func replacedSurrogate(_ text: String, read: String) throws {
        #expect(try JSONValue(parsing: Array("\"\(text)\"".utf8), loneSurrogates: .replaced) == .string(read))
    }

    @Test(
        "half of a surrogate pair is refused",
        arguments: [#""\ud800""#, #""\udc00""#, #""\ud800\ud800""#, #""\ud800x""#, #""\ud800\n""#, #""\udc00\ud800""#])
    func loneSurrogate(_ text: String) throws {
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
        #expect(error.code == .loneSurrogate)
        #expect(error.offset == 1)
    }

    @Test(
        "a key that an object has twice is refused by name, in small objects and large ones",
        arguments: [1, 16, 17, 500])
    func duplicateKey(_ count: Int) throws {
        let members = (0..<count).map { #""k\#($0)":0"# }.joined(separator: ",")
        let text = #"{"outer":{"# + members + #","\u006b0":1}}"#
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
        #expect(error.code == .duplicateKey)
        #expect(error.reason.contains("'k0'"))
        #expect(error.offset == text.utf8.count - #""\u006b0":1}}"#.utf8.count)
    }

    @Test("keys that only Swift takes for equal are two keys")
    func canonicallyEqualKeys() throws {
        let text = "{\"\u{e9}\":1,\"e\u{301}\":2}"
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(value["\u{e9}"] == 1)
        #expect(value["e\u{301}"] == 2)
        #expect(value.bytes() == Array(text.utf8))
    }

    @Test("99 levels are read and 100 refused", arguments: [("[", "]"), (#"{"a":"#, "}")])
    func depth(_ open: String, _ close: String) throws {
        func nested(_ levels: Int) -> [UInt8] {
            Array((String(repeating: open, count: levels) + "0" + String(repeating: close, count: levels)).utf8)
        }
        let deepest = nested(99)
        #expect(try JSONValue(parsing: deepest).bytes() == deepest)
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: nested(100)) }
        #expect(error.code == .tooDeep)
        #expect(error.offset == 99 * open.utf8.count)
        #expect(throws: JSONError.self) { try JSONValue(parsing: nested(1_000_000 / open.utf8.count)) }
    }

    @Test("the deepest value that is read can be read, written and released on a small stack")
    func smallStack() {
        let text = Array((String(repeating: #"{"a":["#, count: 49) + String(repeating: "]}", count: 49)).utf8)
        let isSame = onThread(stackSize: 512 << 10) {
            guard let value = try? JSONValue(parsing: text) else { return false }
            return value.bytes() == text && !value.bytes(pretty: true).isEmpty
        }
        #expect(isSame)
    }
}

private func number(_ text: String) -> JSONValue {
    JSONNumber(text).map { .number($0) } ?? .null
}
