import Glibc
import LoadBalancing
import Testing
import TestServers

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

    /// A text, and the fields that may take it all the same.
    struct Poison: CustomTestStringConvertible {
        let text: String
        var isFineIn: Set<Field> = []
        var testDescription: String { text.debugDescription }
    }

    /// The fields whose text reaches HAProxy.
    enum Field: CaseIterable {
        case balancerID, address, protocolName, algorithm, path, monitorType, nodeID, nodeAddress, condition

        func put(_ poison: JSONValue, into stand: Stand) -> JSONValue {
            var node: JSONObject = JSONObject()
            node["id"] = self == .nodeID ? poison : "1001"
            node["address"] = self == .nodeAddress ? poison : "127.0.0.1"
            node["port"] = .number(stand.nodes[0].port)
            if self == .condition { node["condition"] = poison }
            var changes: [String: JSONValue] = ["nodes": [.object(node)]]
            switch self {
            case .balancerID: changes["id"] = poison
            case .address: changes["address"] = poison
            case .protocolName: changes["protocol"] = poison
            case .algorithm: changes["algorithm"] = poison
            case .path: changes["monitor"] = monitor(type: "HTTP", path: poison)
            case .monitorType: changes["monitor"] = monitor(type: poison, path: "/")
            case .nodeID, .nodeAddress, .condition: break
            }
            return stand.update(changes)
        }

        private func monitor(type: JSONValue, path: JSONValue) -> JSONValue {
            ["type": type, "delay": 30, "timeout": 10, "attempts": 2, "path": path]
        }
    }

    @Test(
        "in a field that reaches HAProxy is refused and changes nothing",
        arguments: [
            Poison(text: "evil\nglobal"), Poison(text: "evil\rglobal"), Poison(text: "evil\r\n    stats admin if TRUE"),
            Poison(text: "evil check"), Poison(text: " evil"), Poison(text: "evil\t"), Poison(text: "evil\""),
            Poison(text: "'evil'", isFineIn: [.path]), Poison(text: "evil;shutdown", isFineIn: [.path]),
            Poison(text: "evil\u{0}"), Poison(text: "\u{0}"), Poison(text: "evil\u{1b}[2J"), Poison(text: "evil\u{7f}"),
            Poison(text: "-evil", isFineIn: [.path, .balancerID, .nodeID]),
            Poison(text: "--", isFineIn: [.path, .balancerID, .nodeID]),
            Poison(text: "évil"), Poison(text: "evil\u{2028}"), Poison(text: "ｅvil"), Poison(text: "evil\u{200b}"),
            Poison(text: "evil\\"), Poison(text: "evil#", isFineIn: []), Poison(text: "${HOME}evil"),
            Poison(text: "%[env(HOME)]evil"), Poison(text: ""), Poison(text: String(repeating: "e", count: 70_000)),
        ])
    func poison(poison: Poison) async throws {
        try await withStand { stand in
            try await stand.apply()
            let file = readText("\(stand.worker.stateFolder)/haproxy.cfg")
            for field in Field.allCases {
                // An empty path is the default one, as is an empty name of anything with a default in old messages.
                let reply = try await stand.send(field.put(.string(poison.text), into: stand))
                if reply.isPass, poison.isFineIn.contains(field) || poison.text.isEmpty && field == .path {
                    #expect(try await stand.send(stand.update()).isPass)
                } else {
                    #expect(reply.failure != nil, "\(field): \(reply)")
                }
                await expectNextJobIsServed(stand, after: "\(field)")
                #expect(readText("\(stand.worker.stateFolder)/haproxy.cfg") == file, "\(field)")
            }
            #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
        }
    }

    @Test("in a field that does not reach HAProxy comes back as it was, and begins no line of the log")
    func poisonElsewhere() async throws {
        try await withStand { stand in
            let text = JSONValue.string("evil\n2026-11-21T00:00:00.000Z notice libra_worker[1]: forged \u{1b}[2J\u{0}")
            try await stand.apply(["name": text, "other": text])
            let reply = try await stand.send(stand.update(["name": text, "other": text]))
            #expect(reply["loadBalancers"]?.array?.first?["name"] == text)
            #expect(reply["loadBalancers"]?.array?.first?["other"] == text)
            #expect(!readText("\(stand.worker.stateFolder)/haproxy.cfg").contains("evil"))
            #expect(stand.worker.log.contains("evil"))
            #expect(!stand.worker.log.contains("\n2026-11-21T00:00:00.000Z"))
            #expect(!stand.worker.log.utf8.contains { $0 < 0x20 && $0 != 0x0A })
        }
    }

    private func expectNextJobIsServed(_ stand: Stand, after what: String) async {
        let reply = try? await stand.ask("DISCOVER", within: .seconds(1))
        #expect(reply?.isPass == true, "after \(what)")
    }
}
