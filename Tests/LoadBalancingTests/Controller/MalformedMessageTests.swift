import JSON
import LoadBalancing
import Logging
import TestServers
import Testing

@Suite struct MalformedMessageTests {
    @Test(
        "what is no message is answered with a reason, and reaches no driver",
        arguments: [
            ([], "The message is empty"),
            (Array("   ".utf8), "The message is not valid JSON: Expected a value, not the end of the text, at byte 3"),
            (Array("UPDATE".utf8), "The message is not valid JSON: Expected a value at byte 0"),
            (Array("[]".utf8), "The message is not a JSON object but an array"),
            (Array("42".utf8), "The message is not a JSON object but a number"),
            (Array("null".utf8), "The message is not a JSON object but null"),
            (Array("true".utf8), "The message is not a JSON object but a Boolean"),
            (Array(#""UPDATE""#.utf8), "The message is not a JSON object but a string"),
            ([0x7b, 0xff, 0x7d], "The message is not valid JSON: Not UTF-8 at byte 1"),
            (Array(#"{"a":1,"a":2}"#.utf8), "The message is not valid JSON: Key 'a' stands there twice at byte 7"),
            (
                Array(#"{"a":"\ud800"}"#.utf8),
                "The message is not valid JSON: Half of a surrogate pair in a string at byte 6"
            ),
            (
                Array(repeating: UInt8(ascii: "["), count: 100),
                "The message is not valid JSON: Nested deeper than 99 levels at byte 99"
            ),
            (
                Array(repeating: UInt8(ascii: " "), count: 5 << 20),
                "The message has 5242880 bytes, more than the 4194304 that are read"
            ),
        ] as [([UInt8], String)])
    func malformed(_ workload: [UInt8], _ text: String) async throws {
        let harness = Harness()
        let reply = try JSONValue(parsing: await harness.controller.reply(to: workload))
        #expect(reply == ["hpcs_response": "FAIL", "hpcs_error": .string(text), "badRequest": badRequest(text)])
        #expect(harness.driver.calls.isEmpty)
        #expect(harness.log.at(.info).count == 1)
    }

    @Test("the largest message is read, and one byte more is not")
    func size() async throws {
        let harness = Harness(level: .info)
        let ping = #"{"hpcs_action":"PING"}"#
        let padding = String(repeating: " ", count: 4_194_304 - ping.utf8.count)
        #expect(try await harness.reply(to: ping + padding)["hpcs_response"] == "PASS")
        #expect(try await harness.reply(to: ping + padding + " ")["hpcs_response"] == "FAIL")
    }

    @Test(
        "an action that is missing or unknown is refused with the message",
        arguments: [
            (#"{"a":1}"#, "Missing 'hpcs_action' element"),
            (#"{"hpcs_action":null}"#, "Missing 'hpcs_action' element"),
            (#"{"HPCS_ACTION":"PING"}"#, "Missing 'hpcs_action' element"),
            (#"{"hpcs_action":"REBOOT"}"#, "Unknown 'hpcs_action' 'REBOOT': send \(actions)"),
            (#"{"hpcs_action":7}"#, "Unknown 'hpcs_action' '7': send \(actions)"),
            (#"{"hpcs_action":["PING"]}"#, "Unknown 'hpcs_action' an array: send \(actions)"),
        ])
    func action(_ message: String, _ text: String) async throws {
        var expected = try object(message)
        expected["hpcs_response"] = "FAIL"
        expected["hpcs_error"] = .string(text)
        expected["badRequest"] = badRequest(text)
        #expect(try await Harness().reply(to: message) == .object(expected))
    }

    private static let actions =
        "UPDATE, CREATE, SUSPEND, ENABLE, DELETE, DISCOVER, STATS, METRICS, ARCHIVE, DIAGNOSTICS, PING or PLAN"

    @Test("a value in an error is short, on one line, and without control characters")
    func shownValues() async throws {
        let long = String(repeating: "x", count: 10_000)
        let error = try await Harness().reply(to: #"{"hpcs_action":"\n\u001b[2J\u202e\#(long)"}"#)["hpcs_error"]
        let text = try #require(error?.string)
        #expect(text.hasPrefix(#"Unknown 'hpcs_action' '\u{a}\u{1b}[2J\u{202e}xxx"#))
        #expect(text.utf8.count < 300)
        #expect(text.contains("x…': send"))
    }

    @Test("no text that is sent can trap, whatever its bytes", arguments: 0..<50)
    func noise(_ seed: UInt64) async throws {
        var generator = SplitMix64(state: seed)
        let harness = Harness(level: .info)
        let parts = [
            #"{"hpcs_action":"UPDATE","#, #""loadBalancers":"#, "[", "]", "{", "}", #""nodes":"#, "null", ",", #""""#,
            "1e999",
            #"{"protocol":"TCP","port":1,"#, #"{"address":"a","port":1}"#, #""id":"#, "true", #""monitor":"#,
            #""hpcs_action":"#,
        ]
        for _ in 0..<50 {
            let text = (0..<Int.random(in: 0...12, using: &generator))
                .map { _ in parts.randomElement(using: &generator) ?? "" }.joined()
            let reply = try await harness.reply(to: text)
            #expect(reply["hpcs_response"] == "FAIL" && reply["hpcs_error"] != nil)
        }
    }
}
