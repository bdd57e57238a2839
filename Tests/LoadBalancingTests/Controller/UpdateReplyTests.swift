import JSON
import LoadBalancing
import Testing

@Suite struct UpdateReplyTests {
    @Test(
        "an UPDATE comes back as it was sent, with response, conditions and path added",
        arguments: ["UPDATE", "Create"])
    func pass(_ action: String) async throws {
        let harness = Harness()
        let reply = await harness.controller.reply(
            to: Array(
                (#"{ "unknown": 18446744073709551616, "hpcs_action": "\#(action)", "hpcs_requestid": -1.10e400,"#
                    + #" "loadBalancers": [ {"id": "15", "name": "é", "protocol": "Http", "port": "80","#
                    + #" "monitor": {"attempts": 2, "type": "HTTP", "delay": 30, "timeout": 10, "path": "x"},"#
                    + #" "nodes": [ {"id": 1, "address": "10.0.0.1", "port": 80, "extra": [1.0]},"#
                    + #" {"id": 2, "condition": "draining", "address": "10.0.0.2", "port": "81"} ]},"#
                    + #" {"protocol":"TCP","port":81,"monitor":{"type":"CONNECT","delay":1,"timeout":1,"attempts":1},"#
                    + #""nodes":[{"address":"::1","port":1,"condition":null}]} ] }"#).utf8))
        let expected =
            #"{"unknown":18446744073709551616,"hpcs_action":"\#(action)","hpcs_requestid":-1.10e400,"#
            + #""loadBalancers":[{"id":"15","name":"é","protocol":"Http","port":"80","#
            + #""monitor":{"attempts":2,"type":"HTTP","delay":30,"timeout":10,"path":"/x"},"#
            + #""nodes":[{"id":1,"address":"10.0.0.1","port":80,"extra":[1.0],"condition":"ENABLED"},"#
            + #"{"id":2,"condition":"DRAINING","address":"10.0.0.2","port":"81"}]},"#
            + #"{"protocol":"TCP","port":81,"monitor":{"type":"CONNECT","delay":1,"timeout":1,"attempts":1,"path":"/"},"#
            + #""nodes":[{"address":"::1","port":1,"condition":"ENABLED"}]}],"hpcs_response":"PASS"}"#
        #expect(String(decoding: reply, as: UTF8.self) == expected)
        #expect(harness.driver.calls == ["update http-15 tcp"])
    }

    @Test("the oldest client's list comes back under its own name")
    func oldSpelling() async throws {
        let harness = Harness()
        let reply = try await harness.reply(
            to: #"{"hpcs_action":"UPDATE","loadbalancers":[{"protocol":"HTTP","nodes":[{"address":"a","port":1}]}]}"#)
        #expect(
            reply == [
                "hpcs_action": "UPDATE", "hpcs_response": "PASS",
                "loadbalancers": [
                    ["protocol": "HTTP", "nodes": [["address": "a", "port": 1, "condition": "ENABLED"]]]
                ],
            ])
    }

    @Test("what an earlier answer added is replaced or gone")
    func staleFields() async throws {
        let harness = Harness()
        let stale = #""hpcs_response":"FAIL","hpcs_error":"old","badRequest":{"code":"400"},"status":"DELETED""#
        let reply = try await harness.reply(to: #"{"hpcs_action":"PING",\#(stale)}"#)
        #expect(reply == ["hpcs_action": "PING", "hpcs_response": "PASS"])
        let own = try await harness.reply(to: #"{"hpcs_action":"PING","status":"new"}"#)
        #expect(own == ["hpcs_action": "PING", "status": "new", "hpcs_response": "PASS"])
    }

    private static let update = #"""
        {"hpcs_action":"UPDATE","loadBalancers":[
          {"id":"a","protocol":"HTTP","nodes":[{"id":1,"address":"a","port":1},{"id":2,"address":"b","port":1,"weight":1}]},
          {"id":"b","protocol":"TCP","port":81,"nodes":[{"address":"c","port":1,"condition":"DRAINING"}]}]}
        """#

    @Test("a refused UPDATE has the old element, its text and the node at fault")
    func refused() async throws {
        let harness = Harness()
        let reply = try await harness.reply(
            to: Self.update.replacing(#""weight":1"#, with: #""weight":"a""#))
        let text = "Failure adding server 2: Non-integer 'weight' value: 'a'"
        #expect(reply["hpcs_response"] == "FAIL")
        #expect(reply["hpcs_error"] == .string(text + " (loadBalancers[0].nodes[1].weight)"))
        #expect(reply["badRequest"] == badRequest(text))
        #expect(conditions(of: reply) == [[nil, "DISABLED"], ["DRAINING"]])
        #expect(harness.driver.calls.isEmpty)
    }

    @Test("an error about a balancer stands for its nodes, and one about none for all")
    func refusedBalancer() async throws {
        let harness = Harness()
        let balancer = try await harness.reply(to: Self.update.replacing(#""port":81"#, with: #""port":0"#))
        #expect(conditions(of: balancer) == [[nil, nil], ["DISABLED"]])
        let all = try await harness.reply(
            to: Self.update.replacing(#""hpcs_action""#, with: #""loadbalancers":[{"nodes":[{},7]},8],"hpcs_action""#))
        #expect(conditions(of: all) == [["DISABLED", "DISABLED"], ["DISABLED"]])
        #expect(all["loadbalancers"] == [["nodes": [["condition": "DISABLED"], 7]], 8])
    }

    @Test("nodes that a driver could not serve are disabled: those it names, or all")
    func failed() async throws {
        let reference = NodeReference(balancer: BalancerKey(protocol: .tcp, id: "b"), node: .position(1))
        let named = Harness(driver: StubDriver(failure: DriverError(.refused, "It said no", failedNodes: [reference])))
        let reply = try await named.reply(to: Self.update)
        #expect(conditions(of: reply) == [[nil, nil], ["DISABLED"]])
        #expect(reply["hpcs_response"] == "FAIL" && reply["hpcs_error"] == "It said no" && reply["badRequest"] == nil)
        let unnamed = Harness(driver: StubDriver(failure: DriverError(.unavailable, "sudo: no")))
        #expect(conditions(of: try await unnamed.reply(to: Self.update)) == [["DISABLED", "DISABLED"], ["DISABLED"]])
    }

    @Test("what a driver finds invalid has the old element too")
    func invalid() async throws {
        let harness = Harness(driver: StubDriver(failure: DriverError(.invalid, "Host 'a' does not resolve")))
        let reply = try await harness.reply(to: Self.update)
        #expect(reply["hpcs_error"] == "Host 'a' does not resolve")
        #expect(reply["badRequest"] == badRequest("Host 'a' does not resolve"))
    }

    private func conditions(of reply: JSONValue) -> [[JSONValue?]] {
        (reply["loadBalancers"]?.array ?? []).map { balancer in
            (balancer["nodes"]?.array ?? []).map { $0["condition"] }
        }
    }
}
