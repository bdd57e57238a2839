import LoadBalancing
import Testing

@Suite struct LoadBalancerTests {
    @Test("what is left out has its default")
    func defaults() throws {
        let balancer = try LoadBalancer(
            protocol: .http, port: 80, nodes: [Node(key: .position(1), address: "10.0.0.1", port: 8080)])
        #expect(balancer.address == .any)
        #expect(balancer.algorithm == .roundRobin)
        #expect(balancer.options == BalancerOptions(clientTimeout: 30_000, connectRetries: 3))
        #expect(balancer.nodes[0].weight == 1)
        #expect(balancer.nodes[0].condition == .enabled)
    }

    @Test(
        "nodes are not empty, have all identifiers or none, and each its own",
        arguments: [
            ([], "Missing 'nodes' element"),
            ([.id("a"), .position(2)], "Missing node 'id'"),
            ([.position(1), .position(1)], "Missing node 'id'"),
            ([.position(2)], "Missing node 'id'"),
            ([.id("a"), .id("b"), .id("a")], "Failure adding server a: Node 'id' 'a' is already defined."),
        ] as [([NodeKey], String)])
    func keys(_ keys: [NodeKey], _ text: String) throws {
        let error = try #require(throws: MessageError.self) {
            try LoadBalancer(
                protocol: .tcp, port: 80, nodes: keys.map { Node(key: $0, address: "10.0.0.1", port: 80) })
        }
        #expect(error.text == text)
        #expect(!error.isRetriable)
    }

    @Test("GALERA takes one node that is no backup, or none")
    func galera() throws {
        func nodes(_ backups: Bool...) -> [Node] {
            backups.enumerated().map { index, isBackup in
                Node(key: .position(index + 1), address: "10.0.0.1", port: 3306, isBackup: isBackup)
            }
        }
        for allowed in [nodes(false), nodes(true), nodes(true, false, true)] {
            #expect(try LoadBalancer(protocol: .galera, port: 3306, nodes: allowed).nodes == allowed)
        }
        let error = try #require(throws: MessageError.self) {
            try LoadBalancer(protocol: .galera, port: 3306, nodes: nodes(false, true, false))
        }
        #expect(
            error.message
                == "Failure adding server server3: Galera protocol does not accept more than one non-backup node "
                + "(nodes[2].backup)")
    }

    @Test("a monitor's timeout is not above its delay")
    func monitor() {
        #expect(Monitor(kind: .http, delay: 10, timeout: 10, attempts: 1)?.path == "/")
        #expect(Monitor(kind: .http, delay: 10, timeout: 11, attempts: 1) == nil)
    }

    @Test("keys say in one word what they stand for")
    func descriptions() {
        #expect(BalancerKey(protocol: .galera, id: nil).description == "galera")
        #expect(BalancerKey(protocol: .http, id: "15").description == "http-15")
        #expect(NodeKey.position(3).description == "server3")
        #expect(NodeKey.id("1001").description == "1001")
        let reference = NodeReference(balancer: BalancerKey(protocol: .tcp, id: "a"), node: .position(1))
        #expect(reference.description == "tcp-a/server1")
        #expect(BalancerProtocol.tcp.defaultPort == nil && BalancerProtocol.http.defaultPort == 80)
    }

    @Test("a driver's error says what led to it")
    func driverError() {
        struct Cause: Error, CustomStringConvertible { let description = "no such file" }
        #expect(DriverError(.storage, "It failed", cause: Cause()).description == "It failed (no such file)")
        #expect(DriverError(.storage, "It failed").description == "It failed")
    }
}
