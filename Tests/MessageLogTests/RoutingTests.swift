import MessageLog
import Testing

@Suite struct RoutingTests {
    @Test("a key is kept in upper case, and is a path")
    func key() throws {
        let key = try RoutingKey("Frontend.Customer.Sign-up_2")
        #expect(key.description == "FRONTEND.CUSTOMER.SIGN-UP_2")
        #expect(key.path == "FRONTEND/CUSTOMER/SIGN-UP_2")
        #expect(try key == RoutingKey("frontend.CUSTOMER.sign-UP_2"))
    }

    @Test(
        "what could lead elsewhere is no key",
        arguments: [
            "", ".", "..", "a..b", ".a", "a.", "a/b", "../a", "a\nb", "a\u{0}", "ü", "a b", "a%2f", "a.*", "#", "ß",
            String(repeating: "x", count: 65),
        ])
    func refused(text: String) {
        #expect { try RoutingKey(text) } throws: { ($0 as? MessageLogError)?.code == .invalidArgument }
    }

    @Test(
        "a pattern matches as a topic exchange does",
        arguments: [
            ("A.B", "a.b", true), ("a.*", "A.B", true), ("a.*", "A", false), ("a.*", "A.B.C", false),
            ("a.#", "A", true), ("a.#", "A.B.C", true), ("#", "A.B", true), ("#.c", "A.B.C", true),
            ("#.c", "C", true), ("#.b.#", "A.B.C", true), ("*.*", "A", false), ("a.#.d", "A.B.C", false),
        ])
    func pattern(pattern: String, key: String, matches: Bool) throws {
        #expect(try RoutingPattern(pattern).matches(RoutingKey(key)) == matches)
    }
}
