import CivilTime
import JSON
import LoadBalancing
import Synchronization
import Testing

@Suite struct ActionTests {
    @Test("changes without a body are passed to the driver", arguments: ["SUSPEND", "enable", "Delete"])
    func changes(_ action: String) async throws {
        let harness = Harness()
        let reply = try await harness.reply(to: #"{"hpcs_action":"\#(action)","n":1}"#)
        #expect(reply == ["hpcs_action": .string(action), "n": 1, "hpcs_response": "PASS"])
        #expect(harness.driver.calls == [action.lowercased()])
    }

    @Test(
        "a driver's failure is the answer's", arguments: ["SUSPEND", "ENABLE", "DELETE", "STATS", "DISCOVER", "PING"])
    func failure(_ action: String) async throws {
        let harness = Harness(driver: StubDriver(failure: DriverError(.notRunning, "HAProxy is not running.")))
        let stale = #""nodes":[1],"version":"0","release":"0""#
        let reply = try await harness.reply(to: #"{"hpcs_action":"\#(action)",\#(stale)}"#)
        #expect(reply["hpcs_response"] == "FAIL")
        #expect(reply["hpcs_error"] == "HAProxy is not running.")
        #expect(reply["badRequest"] == nil)
        #expect((reply["nodes"] == nil) == (action == "STATS"))
        #expect((reply["version"] == nil) == (action == "DISCOVER"))
        #expect((reply["release"] == nil) == (action == "DISCOVER"))
    }

    @Test("what was deleted says so", arguments: ["STATS", "SUSPEND", "ENABLE", "PING"])
    func deleted(_ action: String) async throws {
        let harness = Harness(driver: StubDriver(failure: DriverError(.deleted, "There is nothing here")))
        #expect(
            try await harness.reply(to: #"{"hpcs_action":"\#(action)"}"#) == [
                "hpcs_action": .string(action), "hpcs_response": "FAIL", "status": "DELETED",
                "hpcs_error": .string("Invalid operation \(action) on a deleted LB."),
            ])
    }

    @Test("STATS has a row a node")
    func stats() async throws {
        let harness = Harness()
        harness.driver.state.withLock {
            $0.statistics = [
                BalancerStatistics(
                    balancer: BalancerKey(protocol: .http, id: "15"),
                    nodes: [
                        NodeStatistics(
                            node: .id("1001"), isUp: true, check: "L7OK", weight: 5, sessions: 2, lastChange: 60)
                    ]),
                BalancerStatistics(
                    balancer: BalancerKey(protocol: .tcp, id: nil),
                    nodes: [
                        NodeStatistics(
                            node: .position(1), isUp: false, check: nil, weight: 0, sessions: 0, lastChange: nil)
                    ]),
            ]
        }
        let reply = try await harness.reply(to: #"{"hpcs_action":"STATS","nodes":"old"}"#)
        #expect(reply["hpcs_response"] == "PASS")
        #expect(
            reply["nodes"] == [
                [
                    "id": "1001", "status": "UP", "protocol": "http", "loadBalancer": "15", "check": "L7OK",
                    "weight": 5,
                    "sessions": 2, "last_change": 60,
                ],
                ["id": "server1", "status": "DOWN", "protocol": "tcp", "weight": 0, "sessions": 0],
            ])
    }

    @Test("DISCOVER names the version and the release")
    func discover() async throws {
        let reply = try await Harness().reply(to: #"{"hpcs_action":"DISCOVER"}"#)
        #expect(
            reply == [
                "hpcs_action": "DISCOVER", "hpcs_response": "PASS", "version": "2.6", "release": "2.6.12-1+deb12u4",
            ])
    }

    @Test("DIAGNOSTICS passes and says what passed", arguments: [true, false])
    func diagnostics(_ reachesNetwork: Bool) async throws {
        let reply = try await Harness(reachesNetwork: reachesNetwork).reply(to: #"{"hpcs_action":"DIAGNOSTICS"}"#)
        #expect(
            reply == [
                "hpcs_action": "DIAGNOSTICS", "hpcs_response": "PASS", "network": reachesNetwork ? "PASS" : "FAIL",
                "gearman": [
                    ["host": "localhost:4730", "status": "PASS"], ["host": "[::1]:4730", "status": "FAIL"],
                ],
                "checks": [
                    ["name": "HAProxy", "status": "PASS", "detail": "2.6.12"],
                    ["name": "socket", "status": "FAIL", "detail": "no such file: start HAProxy"],
                ],
            ])
    }

    @Test("PLAN tells the steps and the configuration, changes nothing, and refuses what an UPDATE would")
    func plan() async throws {
        let harness = Harness()
        let reply = try await harness.reply(
            to:
                #"{"hpcs_action":"PLAN","loadBalancers":[{"protocol":"HTTP","nodes":[{"address":"10.0.0.1","port":80}]}]}"#
        )
        #expect(reply["hpcs_response"] == "PASS")
        #expect(
            reply["plan"] == [
                "reload": false, "reasons": [],
                "steps": [["kind": "change", "text": "set the weight of x/y to 2"]], "configuration": "global\n",
            ])
        #expect(harness.driver.calls == ["plan http"])
        let refused = try await harness.reply(to: #"{"hpcs_action":"PLAN","plan":1}"#)
        #expect(refused["hpcs_error"] == "Missing 'loadBalancers' element" && refused["plan"] == nil)
    }

    @Test("what is not there yet says so, and shows no token", arguments: ["ARCHIVE"])
    func unavailable(_ action: String) async throws {
        let harness = Harness()
        let reply = try await harness.reply(to: #"{"hpcs_action":"\#(action)","hpcs_object_store_token":"s3cret"}"#)
        #expect(
            reply == [
                "hpcs_action": .string(action), "hpcs_object_store_token": "*****", "hpcs_response": "FAIL",
                "hpcs_error": .string("\(action) is not available in this version of the worker"),
            ])
        #expect(harness.driver.calls.isEmpty)
    }

    @Test("METRICS reports the period and what passed, and leaves out what there is none of")
    func metrics() async throws {
        let harness = Harness()
        let traffic = TrafficCounters(bytesIn: 1, bytesOut: .max, connections: 3, requests: 4)
        let report = TrafficReport(
            start: UTCTime(microseconds: 0), end: UTCTime(microseconds: 60_000_001),
            rows: [
                TrafficReport.Row(balancer: BalancerKey(protocol: .http, id: nil), traffic: traffic),
                TrafficReport.Row(balancer: BalancerKey(protocol: .galera, id: "15"), traffic: traffic),
            ])
        harness.driver.state.withLock { $0.report = report }
        let delivery = JobDelivery(job: JobIdentity(server: "s:1", handle: "H:1", unique: ""), number: 1)
        let message = #"{"hpcs_action":"METRICS","utc_start":"stale","loadBalancers":[1],"mine":2}"#
        let reply = try JSONValue(parsing: await harness.controller.reply(to: Array(message.utf8), delivery: delivery))
        let most = try #require(JSONNumber("18446744073709551615"))
        #expect(
            reply == [
                "hpcs_action": "METRICS", "mine": 2, "hpcs_response": "PASS",
                "utc_start": "1970-01-01 00:00:00.000000", "utc_end": "1970-01-01 00:01:00.000001",
                "loadBalancers": [
                    ["protocol": "http", "bytes_out": .number(most), "bytes_in": 1, "connections": 3, "requests": 4],
                    ["protocol": "galera", "bytes_out": .number(most), "id": "15", "bytes_in": 1, "connections": 3],
                ],
            ])
        await harness.controller.settle(delivery, wasDelivered: false)
        #expect(harness.driver.calls == ["traffic H:1", "settle H:1 false"])
    }
}
