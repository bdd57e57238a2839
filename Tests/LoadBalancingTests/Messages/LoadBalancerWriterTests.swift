import JSON
import LoadBalancing
import TestServers
import Testing

@Suite struct LoadBalancerWriterTests {
    @Test("balancers that are written are read again, exactly", arguments: 0..<50)
    func roundTrip(_ seed: UInt64) throws {
        var generator = SplitMix64(state: seed)
        let list = try (1...4).map { try Self.balancer($0, using: &generator) }
        let bytes = JSONValue(list).bytes()
        #expect(try LoadBalancer.list(from: try #require(JSONValue(parsing: bytes).object)) == list)
    }

    @Test("what is written is an UPDATE with every default spelled out")
    func text() throws {
        let balancer = try LoadBalancer(
            protocol: .http, port: 80, monitor: Monitor(kind: .connect, delay: 2, timeout: 1, attempts: 3),
            nodes: [Node(key: .position(1), address: "::1", port: 8080)])
        #expect(
            JSONValue([balancer]).description
                == #"{"loadBalancers":[{"protocol":"HTTP","address":"0.0.0.0","port":80,"algorithm":"ROUND_ROBIN","#
                + #""monitor":{"type":"CONNECT","delay":2,"timeout":1,"attempts":3,"path":"/"},"#
                + #""options":{"client_timeout":30000,"server_timeout":30000,"connect_timeout":30000,"connect_retries":3},"#
                + #""nodes":[{"address":"::1","port":8080,"weight":1,"backup":"false","condition":"ENABLED"}]}]}"#)
    }

    private static func balancer(_ number: Int, using generator: inout SplitMix64) throws -> LoadBalancer {
        let hasIDs = Bool.random(using: &generator)
        let `protocol` = [BalancerProtocol.http, .tcp, .galera].randomElement(using: &generator) ?? .http
        let delay = Seconds(exactly: .random(in: Seconds.range, using: &generator)) ?? 30
        let addresses: [NodeAddress] = ["10.0.0.1", "2001:db8::1", "node-1.example", "a."]
        let nodes = (1...Int.random(in: 1...5, using: &generator)).map { position in
            Node(
                key: (hasIDs ? NodeID(validating: "n-\(position)").map(NodeKey.id) : nil) ?? .position(position),
                address: addresses.randomElement(using: &generator) ?? "a",
                port: Port(exactly: .random(in: Port.range, using: &generator)) ?? 1,
                weight: Weight(exactly: .random(in: Weight.range, using: &generator)) ?? 1,
                isBackup: `protocol` == .galera ? position > 1 : Bool.random(using: &generator),
                condition: [Condition.enabled, .disabled, .draining].randomElement(using: &generator) ?? .enabled)
        }
        return try LoadBalancer(
            id: BalancerID(validating: "b\(number)"),
            name: [nil, "", "e\u{301} \"\n\0"].randomElement(using: &generator) ?? nil,
            protocol: `protocol`,
            address: BindAddress(validating: "10.0.0.\(number)") ?? .any,
            port: Port(exactly: .random(in: Port.range, using: &generator)) ?? 1,
            algorithm: Bool.random(using: &generator) ? .roundRobin : .leastConnections,
            monitor: Bool.random(using: &generator)
                ? Monitor(kind: .http, delay: delay, timeout: delay, attempts: 5, path: "/a;b?c=$d") : nil,
            options: BalancerOptions(
                clientTimeout: Timeout(exactly: .random(in: Timeout.range, using: &generator)) ?? 1,
                connectRetries: Retries(exactly: .random(in: Retries.range, using: &generator)) ?? 0),
            nodes: nodes)
    }
}
