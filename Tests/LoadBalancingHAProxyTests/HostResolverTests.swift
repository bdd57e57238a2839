import LoadBalancing
import Synchronization
import Testing

@testable import LoadBalancingHAProxy

@Suite struct HostResolverTests {
    private func balancer(_ id: BalancerID, _ names: [HostName]) throws -> LoadBalancer {
        let nodes = names.enumerated().map { Node(key: .position($0 + 1), address: .host($1), port: 80) }
        return try LoadBalancer(id: id, protocol: .http, port: 80, nodes: nodes)
    }

    @Test("each name is looked up once, and the error names the first that fails and lists every node that uses one")
    func failures() async throws {
        let lookUps = Mutex<[String: Int]>([:])
        let resolver = HostResolver { name in
            lookUps.withLock { $0[name.description, default: 0] += 1 }
            return name.description.hasPrefix("bad") ? .failure("Name or service not known") : .address("10.0.0.1")
        }
        let error = try await #require(throws: DriverError.self) {
            try await resolver.addresses(of: [
                try balancer("1", ["good.test", "bad1.test", "bad2.test"]), try balancer("2", ["bad1.test"]),
            ])
        }
        #expect(
            error.message == "node 'address' 'bad1.test' of http-1/server2 does not resolve: Name or service not known"
                + " (nor do 1 more host names)")
        #expect(Set(error.failedNodes.map(\.description)) == ["http-1/server2", "http-1/server3", "http-2/server1"])
        #expect(error.code == .invalid && error.isRetriable)
        #expect(lookUps.withLock { $0 } == ["good.test": 1, "bad1.test": 1, "bad2.test": 1])
    }

    @Test("names that were not reached within the time count as failed")
    func limit() async throws {
        let resolver = HostResolver(limit: .zero) { _ in .address("10.0.0.1") }
        let error = try await #require(throws: DriverError.self) {
            try await resolver.addresses(of: [try balancer("1", ["a.test", "b.test"])])
        }
        #expect(error.message.contains("not looked up within"))
        #expect(error.failedNodes.count == 2)
    }

    @Test("addresses need no resolver")
    func addresses() async throws {
        let resolver = HostResolver(limit: .zero) { _ in .failure("no resolver") }
        let node = Node(key: .position(1), address: "10.0.0.1", port: 80)
        let addresses = try await resolver.addresses(of: [try LoadBalancer(protocol: .http, port: 80, nodes: [node])])
        #expect(addresses.isEmpty)
    }

    @Test("the system's resolver gives an address of the host")
    func system() async throws {
        let addresses = try await HostResolver().addresses(of: [try balancer("1", ["localhost"])])
        let address = try #require(addresses["localhost"])
        #expect(address == "127.0.0.1" || address == "::1")
    }
}
