import CommandKit
import Testing

@Suite struct INIDocumentTests {
    private func parse(_ text: String) -> INIDocument { INIDocument(parsing: Array(text.utf8)) }

    private func values(_ text: String) -> [String] {
        parse(text).entries.map { "\($0.line) [\($0.section)] \($0.key)=\($0.value)" }
    }

    @Test("keys are separated from values by the first '=' or ':'")
    func separators() {
        #expect(
            values("[s]\na = 1\nb:2\nservers = h:1\nlog : x=y\nempty =\nservice= \t\n")
                == ["2 [s] a=1", "3 [s] b=2", "4 [s] servers=h:1", "5 [s] log=x=y", "6 [s] empty=", "7 [s] service="])
    }

    @Test("keys are in lower case and have '_' for '-'; sections and values stay as they are")
    func normalised() {
        #expect(values("[Sec]\nReconnect-Sleep = ABC-d") == ["2 [Sec] reconnect_sleep=ABC-d"])
    }

    @Test("comments are lines that begin with '#' or ';', and what follows white space and ';'")
    func comments() {
        #expect(
            values("# a\n; b\n  # c\n[s] ; d\nkey = v;w # x ;y ; z\nnone = ; only\n")
                == ["5 [s] key=v;w # x", "6 [s] none="])
    }

    @Test("deeper indented lines go on with a value, through comments but not past a blank line")
    func continuation() {
        #expect(
            values("[s]\nlist = a\n  b ; why\n# between\n\tc\n\n  key = d\nend = e")
                == ["2 [s] list=a\nb\nc", "7 [s] key=d", "8 [s] end=e"])
        #expect(values("[s]\n  a = 1\n  b = 2\n    3\n") == ["2 [s] a=1", "3 [s] b=2\n3"])
        #expect(values("[s]\na = 1\n[t]\n  b = 2\n") == ["2 [s] a=1", "4 [t] b=2"])
    }

    @Test("a byte-order mark and CRLF do not count")
    func windows() {
        #expect(values("\u{feff}[s]\r\na = 1\r\n  2\r\n") == ["2 [s] a=1\n2"])
        #expect(parse("\u{feff}[s]\r\n").sections == parse("[s]").sections)
    }

    @Test("lines that cannot be read are named, and the others are read")
    func faults() {
        let document = parse("x = 1\n[s]\nnonsense\n= v\ntwo words = v\n[]\nlost = 1\n[t\n[u] x\n[v]\nok = 1")
        #expect(
            document.faults.map { "\($0.line) \($0.message)" } == [
                "1 'x' stands before the first [section]",
                "3 is neither 'key = value' nor a [section]",
                "4 has no key before '='",
                "5 the key 'two words' is not one word",
                "6 '[]' is not a [section]",
                "8 '[t' is not a [section]",
                "9 '[u] x' is not a [section]",
            ])
        #expect(document.entries.map(\.key) == ["ok"])
    }

    @Test("NUL bytes and bytes that are not UTF-8 are faults of their line")
    func badBytes() {
        let document = INIDocument(parsing: Array("[s]\na = ".utf8) + [0] + Array("\nb = ".utf8) + [0xff, 0x0a])
        #expect(document.faults.map { "\($0.line) \($0.message)" } == ["2 contains a NUL byte", "3 is not UTF-8"])
        #expect(document.entries.isEmpty)
    }

    @Test("any bytes can be parsed, in time that grows with their number")
    func hostile() {
        #expect(parse("").entries.isEmpty)
        #expect(parse("\u{feff}").sections.isEmpty)
        let long = String(repeating: "x", count: 200_000)
        #expect(parse("[s]\n\(long) = \(long)\n").entries.first?.value.utf8.count == 200_000)
        #expect(parse("[s]\nk = a\n" + String(repeating: " b\n", count: 100_000)).entries.count == 1)
        #expect(parse(String(repeating: "[s]\n", count: 100_000)).sections.count == 100_000)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let bytes = (0..<300).map { _ in Array("[]=:;# \t\n\rab\\\"\u{0}é".utf8).randomElement(using: &random) ?? 0
            }
            _ = INIDocument(parsing: bytes)
        }
    }
}
