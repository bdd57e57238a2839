import JSON
import LoadBalancing
import Testing

/// Texts that would mean something to a configuration file, a shell, a log or a terminal.
let hostileTexts = [
    "a\nb", "a\r\nb", "a\r", "\n", "a b", " a", "a ", "a\tb", "a\"b", "\"", "a'b", "a`b", "a;b", "a\0", "\0",
    "10.0.0.1\0",
    "-a", "--", "-", "é", "e\u{301}", "ａ", "١", "a\u{200b}", "\u{202e}a", "a\u{7f}", "a\u{1b}[0m", "a#b", "a\\b", "a\\",
    "$HOME", "a$b", "%[env(x)]", "a/b", "../a", "a{b}", "a|b", "a&b", "a<b", "", "a@b", "unix@/tmp/x", "fd@3", "a,b",
    "*",
]

@Suite struct TextTests {
    @Test(
        "an identifier is letters, digits, _ and -",
        arguments: ["1", "a", "Z_9-", "_", "1e5", String(repeating: "x", count: 64)])
    func identifiers(_ text: String) {
        #expect(NodeID(validating: text)?.description == text)
        #expect(BalancerID(validating: text)?.description == text)
    }

    @Test(
        "no hostile text is an identifier",
        arguments: hostileTexts + [String(repeating: "x", count: 65), "1.5", "a.b", "a:b"])
    func hostileIdentifiers(_ text: String) {
        #expect(NodeID(validating: text) == nil)
        #expect(BalancerID(validating: text) == nil)
    }

    @Test(
        "a path is what a URL may hold and begins with a slash",
        arguments: [
            ("/", "/"), ("", "/"), ("healthz", "/healthz"), ("/a/b?c=d&e=%20;f", "/a/b?c=d&e=%20;f"), ("-a", "/-a"),
            ("$x!*", "/$x!*"),
        ])
    func paths(_ text: String, _ path: String) {
        #expect(CheckPath(validating: text)?.description == path)
    }

    @Test("a path holds nothing that a URL cannot, and no single quote")
    func hostilePaths() {
        let allowed = Set(UInt8(0x21)...0x7e).subtracting("\"'`\\#<>[]^{|}".utf8)
        for byte in UInt8.min...UInt8(0x7f) {
            let text = "/a" + String(Unicode.Scalar(byte)) + "b"
            #expect((CheckPath(validating: text) != nil) == allowed.contains(byte), "byte \(byte)")
        }
        for text in ["/é", "/e\u{301}", "/\u{200b}", "/ａ"] { #expect(CheckPath(validating: text) == nil) }
        #expect(CheckPath(validating: String(repeating: "/", count: 1024)) != nil)
        #expect(CheckPath(validating: String(repeating: "/", count: 1025)) == nil)
        #expect(CheckPath(validating: String(repeating: "a", count: 1024)) == nil)
    }

    @Test("words are read in any case of ASCII, and only of ASCII")
    func words() throws {
        let text = #"[{"protocol":"tCp","port":1,"algorithm":"Round_Robin","nodes":[{"address":"a","port":1}]}]"#
        #expect(try balancers(text).first?.protocol == .tcp)
        for word in ["HTT\u{2119}", "ＨＴＴＰ", "HTTP ", "HTTP\0"] {
            #expect(throws: MessageError.self) {
                try LoadBalancer.list(
                    from: object([
                        "loadBalancers": [["protocol": .string(word), "nodes": [["address": "a", "port": 1]]]]
                    ]))
            }
        }
    }
}
