import JSON
import LoadBalancing
import Logging
import Testing

@Suite struct SpeedTests {
    @Test("an UPDATE of 10,000 nodes is answered; how long that takes is printed, not judged")
    func largeUpdate() async throws {
        let nodes = (0..<10_000).map { number in
            #"{"id":"\#(100_000 + number)","address":"10.0.\#(number / 250).\#(number % 250)","port":80,"weight":1,"#
                + #""backup":"false","condition":"ENABLED"}"#
        }
        let message = Array(
            (#"{"hpcs_action":"UPDATE","loadBalancers":[{"id":"15","protocol":"HTTP","nodes":["#
                + nodes.joined(separator: ",") + "]}]}").utf8)
        let harness = Harness(level: .info)
        let start = ContinuousClock.now
        let value = try JSONValue(parsing: message)
        let parsed = ContinuousClock.now
        let list = try LoadBalancer.list(from: object(value))
        let read = ContinuousClock.now
        let written = value.bytes()
        let end = ContinuousClock.now
        let reply = try JSONValue(parsing: await harness.controller.reply(to: message))
        #expect(list.first?.nodes.count == 10_000)
        #expect(written == message)
        #expect(reply["hpcs_response"] == "PASS")
        print("10,000 nodes: parse \(parsed - start), model \(read - parsed), write \(end - read)")
    }

    @Test("a message of four megabytes of keys, brackets or escapes is read in proportion to its size")
    func hostileShapes() throws {
        let keys = "{" + (0..<350_000).map { #""\#($0)":1"# }.joined(separator: ",") + "}"
        let arrays = "[" + String(repeating: "[],", count: 1_300_000) + "0]"
        let escapes = "\"" + String(repeating: #"\u0041"#, count: 650_000) + "\""
        for (name, text) in [("keys", keys), ("arrays", arrays), ("escapes", escapes)] {
            let bytes = Array(text.utf8)
            let start = ContinuousClock.now
            let value = try JSONValue(parsing: bytes)
            print("\(bytes.count) bytes of \(name): \(ContinuousClock.now - start)")
            #expect(value != .null)
        }
    }
}
