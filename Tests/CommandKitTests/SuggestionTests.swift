import CommandKit
import Testing

@Suite struct SuggestionTests {
    @Test("the nearest name is suggested, and none that is far")
    func nearest() {
        let names = ["servers", "service", "keepalive", "user"]
        #expect(suggestion(for: "sevrers", among: names) == "servers")
        #expect(suggestion(for: "keep_alive", among: names) == "keepalive")
        #expect(suggestion(for: "usr", among: names) == "user")
        #expect(suggestion(for: "password", among: names) == nil)
        #expect(suggestion(for: String(repeating: "s", count: 100_000), among: names) == nil)
    }
}
