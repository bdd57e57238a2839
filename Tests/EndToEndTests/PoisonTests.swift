import JSON
import LoadBalancing
import TestServers
import Testing

extension EndToEnd {
    @Suite("Text that HAProxy would take for more than a word")
    struct PoisonTests {
        /// A text, and the fields that may take it all the same.
        private struct Poison {
            let text: String
            var isFineIn: Set<Field> = []
        }

        /// The fields whose text reaches HAProxy.
        private enum Field: CaseIterable {
            case balancerID, address, protocolName, algorithm, path, monitorType, nodeID, nodeAddress, condition

            func put(_ poison: JSONValue, into stand: Stand) -> JSONValue {
                var node = JSONObject()
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

        private static let poisons = [
            Poison(text: "evil\nglobal"), Poison(text: "evil\rglobal"), Poison(text: "evil\r\n    stats admin if TRUE"),
            Poison(text: "evil check"), Poison(text: " evil"), Poison(text: "evil\t"), Poison(text: "evil\""),
            Poison(text: "'evil'", isFineIn: [.path]), Poison(text: "evil;shutdown", isFineIn: [.path]),
            Poison(text: "evil\u{0}"), Poison(text: "\u{0}"), Poison(text: "evil\u{1b}[2J"), Poison(text: "evil\u{7f}"),
            Poison(text: "-evil", isFineIn: [.path, .balancerID, .nodeID]),
            Poison(text: "--", isFineIn: [.path, .balancerID, .nodeID]),
            Poison(text: "évil"), Poison(text: "evil\u{2028}"), Poison(text: "ｅvil"), Poison(text: "evil\u{200b}"),
            Poison(text: "evil\\"), Poison(text: "evil#"), Poison(text: "${HOME}evil"),
            Poison(text: "%[env(HOME)]evil"),
            Poison(text: "", isFineIn: [.path]), Poison(text: String(repeating: "e", count: 70_000)),
        ]

        @Test("is refused in every field, nothing changes, and the next job is served")
        func everyField() async throws {
            try await withStand { stand in
                try await stand.apply()
                let file = readText("\(stand.worker.stateFolder)/haproxy.cfg")
                for poison in Self.poisons {
                    for field in Field.allCases {
                        let what = "\(poison.text.prefix(40).debugDescription) in \(field)"
                        let reply = try await stand.send(field.put(.string(poison.text), into: stand))
                        if reply.isPass, poison.isFineIn.contains(field) {
                            #expect(try await stand.send(stand.update()).isPass, "after \(what)")
                        } else {
                            #expect(reply.failure != nil, "\(what): \(reply)")
                        }
                        await expectNextJobIsServed(stand, after: what)
                        #expect(readText("\(stand.worker.stateFolder)/haproxy.cfg") == file, "\(what)")
                    }
                }
                #expect(Set(await stand.answers(to: 4)) == ["A", "B"])
            }
        }

        @Test("comes back as it was from a field that does not reach HAProxy, and begins no line of the log")
        func poisonElsewhere() async throws {
            try await withStand { stand in
                let text = JSONValue.string(
                    "evil\n2026-11-21T00:00:00.000Z notice libra_worker[1]: forged \u{1b}[2J\u{0}")
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
    }
}
