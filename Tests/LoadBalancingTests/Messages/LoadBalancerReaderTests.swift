import JSON
import LoadBalancing
import Testing

@Suite struct LoadBalancerReaderTests {
    @Test("every field is read")
    func everything() throws {
        let balancer = try #require(
            try balancers(
                #"""
                [{"id": "15", "name": "web\n; é", "protocol": "HTTP", "port": 8080, "address": "192.0.2.1",
                  "algorithm": "LEAST_CONNECTIONS",
                  "monitor": {"type": "HTTP", "delay": 30, "timeout": 10, "attempts": 2, "path": "healthz"},
                  "options": {"client_timeout": 1, "server_timeout": 2, "connect_timeout": 3, "connect_retries": 0},
                  "nodes": [{"id": "1001", "address": "10.0.0.1", "port": 80, "weight": 0, "backup": "false",
                             "condition": "ENABLED"},
                            {"id": 1002, "address": "node-2", "port": 81, "weight": 256, "backup": true,
                             "condition": "DRAINING"}]}]
                """#
            ).first)
        let expected = try LoadBalancer(
            id: "15", name: "web\n; é", protocol: .http, address: "192.0.2.1", port: 8080, algorithm: .leastConnections,
            monitor: Monitor(kind: .http, delay: 30, timeout: 10, attempts: 2, path: "/healthz"),
            options: BalancerOptions(clientTimeout: 1, serverTimeout: 2, connectTimeout: 3, connectRetries: 0),
            nodes: [
                Node(key: .id("1001"), address: "10.0.0.1", port: 80, weight: 0),
                Node(key: .id("1002"), address: "node-2", port: 81, weight: 256, isBackup: true, condition: .draining),
            ])
        #expect(balancer == expected)
    }

    @Test("what may be left out, or be null, has its default")
    func defaults() throws {
        let short = try balancers(#"[{"protocol":"HTTP","nodes":[{"address":"10.0.0.1","port":80}]}]"#)
        let nulls = try balancers(
            #"""
            [{"id":null,"name":null,"protocol":"HTTP","port":null,"address":null,"algorithm":null,"monitor":null,"options":null,
              "nodes":[{"id":null,"address":"10.0.0.1","port":80,"weight":null,"backup":null,"condition":null}]}]
            """#)
        let expected = try LoadBalancer(
            protocol: .http, port: 80, nodes: [Node(key: .position(1), address: "10.0.0.1", port: 80)])
        #expect(short == [expected])
        #expect(nulls == [expected])
        #expect(
            expected.options == BalancerOptions(clientTimeout: 30_000, serverTimeout: 30_000, connectTimeout: 30_000))
        #expect(
            try balancers(#"[{"protocol":"HTTP","options":{},"nodes":[{"address":"10.0.0.1","port":80}]}]"#) == short)
    }

    @Test(
        "numbers may be strings, and words and Booleans of any case",
        arguments: ["80", #""80""#, "80.0", #""80.00""#, #""080""#])
    func numbers(_ port: String) throws {
        let list = try balancers(
            #"""
            [{"protocol":"galera","port":\#(port),"algorithm":"round_ROBIN",
              "monitor":{"type":"connect","delay":"30","timeout":"10","attempts":"2"},"options":{"connect_retries":"5"},
              "nodes":[{"id":12345678901234567890,"address":"10.0.0.1","port":\#(port),"weight":"5","backup":"TRUE",
                        "condition":"disabled"}]}]
            """#)
        let balancer = try #require(list.first)
        #expect(balancer.port == 80 && balancer.nodes[0].port == 80)
        #expect(balancer.protocol == .galera)
        #expect(balancer.monitor == Monitor(kind: .connect, delay: 30, timeout: 10, attempts: 2))
        #expect(balancer.options.connectRetries == 5)
        #expect(balancer.nodes[0].key == .id("12345678901234567890"))
        #expect(balancer.nodes[0].weight == 5)
        #expect(balancer.nodes[0].isBackup)
        #expect(balancer.nodes[0].condition == .disabled)
    }

    @Test(
        "what only begins as a number is none",
        arguments: [
            #""80x""#, #"" 80""#, #""80 ""#, #""8e1""#, "8e1", #""0x50""#, #""80.""#, "80.5", #""""#, #""-""#, "true",
            "[80]",
            #""８０""#, #""80\u0000""#,
        ])
    func notNumbers(_ port: String) {
        #expect(throws: MessageError.self) {
            try balancers(#"[{"protocol":"TCP","port":\#(port),"nodes":[{"address":"10.0.0.1","port":80}]}]"#)
        }
    }

    @Test("nodes without identifiers are called by their places, in each balancer anew")
    func positions() throws {
        let nodes = #""nodes":[{"address":"a","port":1},{"address":"b","port":1}]"#
        let list = try balancers(#"[{"protocol":"HTTP",\#(nodes)},{"protocol":"TCP","port":81,\#(nodes)}]"#)
        #expect(list.map { $0.nodes.map(\.key.description) } == [["server1", "server2"], ["server1", "server2"]])
    }

    @Test("a name may be any text and a number too")
    func names() throws {
        let list = try balancers(#"[{"name":15,"protocol":"HTTP","nodes":[{"address":"a","port":1}]}]"#)
        #expect(list[0].name == "15")
    }

    @Test("the oldest client's spelling of the list is read, and not beside the other")
    func oldSpelling() throws {
        let list = #"[{"protocol":"HTTP","nodes":[{"address":"a","port":1}]}]"#
        #expect(try LoadBalancer.list(from: object(#"{"loadbalancers":\#(list)}"#)) == (try balancers(list)))
        #expect(try LoadBalancer.list(from: object(#"{"loadbalancers":null,"loadBalancers":\#(list)}"#)).count == 1)
        let error = try #require(throws: MessageError.self) {
            try LoadBalancer.list(from: object(#"{"loadbalancers":[],"loadBalancers":\#(list)}"#))
        }
        #expect(error.message == "'loadBalancers' and 'loadbalancers' are both there: send one of them")
        #expect(throws: MessageError.self) { try LoadBalancer.list(from: object(#"{"LOADBALANCERS":\#(list)}"#)) }
    }

    @Test("a hostile text is refused in every string that reaches a configuration", arguments: hostileTexts)
    func hostile(_ text: String) throws {
        let hostile = JSONValue.string(text)
        func list(_ field: String, _ value: JSONValue, of part: String? = nil) -> JSONObject {
            var node = object(["id": "1", "address": "10.0.0.1", "port": 80])
            var monitor = object(["type": "HTTP", "delay": 1, "timeout": 1, "attempts": 1])
            var balancer = object(["id": "1", "protocol": "HTTP"])
            switch part {
            case "node": node[field] = value
            case "monitor": monitor[field] = value
            default: balancer[field] = value
            }
            balancer["monitor"] = .object(monitor)
            balancer["nodes"] = [.object(node)]
            return object(["loadBalancers": [.object(balancer)]])
        }
        for field in ["id", "protocol", "address", "port", "algorithm"] {
            #expect(throws: MessageError.self) { try LoadBalancer.list(from: list(field, hostile)) }
        }
        for field in ["id", "address", "port", "weight", "backup", "condition"] {
            #expect(throws: MessageError.self) { try LoadBalancer.list(from: list(field, hostile, of: "node")) }
        }
        for field in ["type", "delay", "timeout", "attempts"] {
            #expect(throws: MessageError.self) { try LoadBalancer.list(from: list(field, hostile, of: "monitor")) }
        }
        // A path may hold some of them, as long as they are one harmless word.
        let path = try? LoadBalancer.list(from: list("path", hostile, of: "monitor")).first?.monitor?.path
        let isWord = text.utf8.allSatisfy { 0x21...0x7e ~= $0 && !"\"'`\\#<>[]^{|}".utf8.contains($0) }
        #expect(path?.description == (isWord ? (text.hasPrefix("/") ? text : "/" + text) : nil))
        // The name is free: it never gets there.
        #expect(try LoadBalancer.list(from: list("name", hostile)).first?.name == text)
    }
}
