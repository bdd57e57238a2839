import Glibc
import JSON
import LoadBalancing
import Testing
import TestServers

extension EndToEnd {
    @Suite("Hostile input")
    struct HostileInputTests {
        @Test("that is no JSON object is a FAIL with a reason, and the next job is served")
        func noObject() async throws {
            let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
            let long = #"{"hpcs_action":"PING","x":""# + String(repeating: "x", count: 5 << 20) + #""}"#
            let workloads: [(what: String, bytes: [UInt8])] = [
                ("nothing", []),
                ("a word", Array("hello".utf8)),
                ("an object that does not end", Array(#"{"hpcs_action":"PING""#.utf8)),
                ("something after the object", Array(#"{"hpcs_action":"PING"} {}"#.utf8)),
                ("an array", Array("[]".utf8)),
                ("a number", Array("42".utf8)),
                ("null", Array("null".utf8)),
                ("invalid UTF-8", Array(#"{"hpcs_action":"PING","x":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)),
                ("an overlong form", Array(#"{"hpcs_action":"PING","x":""#.utf8) + [0xC0, 0xAF] + Array(#""}"#.utf8)),
                ("half a surrogate pair", Array(#"{"hpcs_action":"PING","x":"\ud800"}"#.utf8)),
                ("a byte-order mark of UTF-16", [0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00]),
                ("zero bytes", [0, 0, 0, 0]),
                ("duplicate keys", Array(#"{"hpcs_action":"PING","hpcs_action":"DELETE"}"#.utf8)),
                ("100 levels", Array(#"{"hpcs_action":"PING","x":\#(deep)}"#.utf8)),
                ("100 levels that do not end", Array(String(repeating: #"{"a":"#, count: 100).utf8)),
                ("5 MiB", Array(long.utf8)),
            ]
            try await withStand { stand in
                for (what, bytes) in workloads {
                    let reply = try await stand.send(bytes: bytes)
                    #expect(reply.failure != nil, "\(what): \(reply)")
                    #expect(reply["badRequest"]?["validationErrors"]?["message"]?.string != nil, "\(what): \(reply)")
                    await expectNextJobIsServed(stand, after: what)
                }
            }
        }

        @Test("that names no action, or one that is not there, is a FAIL with a reason")
        func noAction() async throws {
            let requests: [JSONValue] = [
                [:], ["hpcs_action": .null], ["hpcs_action": 7], ["hpcs_action": ""], ["hpcs_action": "FORMAT"],
                ["hpcs_action": ["PING"]], ["hpcs_action": "PING\u{0}"], ["HPCS_ACTION": "PING"],
                ["hpcs_action": "UPDATE"], ["hpcs_action": "UPDATE", "loadBalancers": []],
                ["hpcs_action": "UPDATE", "loadBalancers": [[]]], ["hpcs_action": "UPDATE", "loadBalancers": "15"],
            ]
            try await withStand { stand in
                for request in requests {
                    let reply = try await stand.send(request)
                    #expect(reply.failure != nil, "\(request): \(reply)")
                    await expectNextJobIsServed(stand, after: "\(request)")
                }
            }
        }
    }
}

/// A job is served soon, whatever came before it.
func expectNextJobIsServed(_ stand: Stand, after what: String) async {
    let reply = try? await stand.ask("DISCOVER", within: .seconds(10))
    #expect(reply?.isPass == true, "after \(what)")
}
