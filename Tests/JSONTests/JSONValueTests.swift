import JSON
import Testing

@Suite struct JSONValueTests {
    @Test(
        "numbers keep their digits",
        arguments: ["18446744073709551616", "1e400", "1.10", "-0", "0.1e-7", "9007199254740993", "1E+2"])
    func numbers(_ text: String) throws {
        #expect(try JSONValue(parsing: Array(text.utf8)).description == text)
        #expect(JSONNumber(text)?.description == text)
    }

    @Test("what is not a number cannot become one", arguments: ["", "01", "1 ", " 1", "1.", "0x1", "1,2", "-", "1\0"])
    func notNumbers(_ text: String) {
        #expect(JSONNumber(text) == nil)
    }

    @Test("members keep their order when they are replaced, added and removed")
    func order() {
        let value: JSONValue = ["a": 1, "b": 2, "c": 3]
        var object = value.object ?? JSONObject()
        object["b"] = 4
        object["d"] = 5
        object["a"] = nil
        object["z"] = nil
        #expect(JSONValue.object(object).description == #"{"b":4,"c":3,"d":5}"#)
    }

    @Test("large objects answer as small ones do")
    func largeObjects() throws {
        var object = JSONObject()
        for key in 0..<200 { object["k\(key)"] = .number(key) }
        for key in stride(from: 0, to: 200, by: 2) { object["k\(key)"] = nil }
        object["k1"] = "replaced"
        #expect(object.members.count == 100)
        #expect(object["k0"] == nil)
        #expect(object["k1"] == "replaced")
        #expect(object["k199"] == 199)
        #expect(try JSONValue(parsing: JSONValue.object(object).bytes()) == .object(object))
    }

    @Test("objects are equal in any order, and nothing else is equal that is written differently")
    func equality() {
        let value: JSONValue = ["a": 1, "b": [true, .null]]
        let turned: JSONValue = ["b": [true, .null], "a": 1]
        #expect(value == turned)
        #expect(value != ["a": 1])
        #expect(value != ["a": 1, "c": [true, .null]])
        #expect("\u{e9}" as JSONValue != "e\u{301}")
        #expect(1 as JSONValue != "1")
        #expect(JSONNumber("1.0") != JSONNumber("1"))
        #expect([1] as JSONValue != [2])
    }

    @Test("a value says what it is, and what it is not")
    func access() {
        #expect((["a": 1] as JSONValue)["a"] == 1)
        #expect((["a": 1] as JSONValue)["b"] == nil)
        #expect(([1] as JSONValue)["a"] == nil)
        #expect(([1] as JSONValue).array == [1])
        #expect(("x" as JSONValue).string == "x")
        #expect(("x" as JSONValue).array == nil && (1 as JSONValue).string == nil && (1 as JSONValue).object == nil)
    }

    @Test("text is written with the escapes that JSON needs and no others")
    func escapes() {
        let text: JSONValue = "\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}é😀"
        #expect(text.description == #""\"\\/\b\f\n\r\t\u0000\u001f"# + "\u{7f}é😀\"")
    }

    @Test("for people every member has a line")
    func pretty() {
        let value: JSONValue = ["a": [1, []], "b": [:], "c": ["d": "e"]]
        let text = """
            {
              "a": [
                1,
                []
              ],
              "b": {},
              "c": {
                "d": "e"
              }
            }
            """
        #expect(String(decoding: value.bytes(pretty: true), as: UTF8.self) == text)
    }
}
