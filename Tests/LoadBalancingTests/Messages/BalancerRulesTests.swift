import LoadBalancing
import Testing

@Suite struct BalancerRulesTests {
    private static let nodes = #""nodes":[{"address":"10.0.0.1","port":80}]"#

    @Test("two balancers without identifiers do not share a protocol")
    func protocols() throws {
        let list = #"[{"protocol":"HTTP",\#(Self.nodes)},{"protocol":"http","port":81,\#(Self.nodes)}]"#
        let error = try #require(throws: MessageError.self) { try balancers(list) }
        #expect(error.text == "Protocol 'http' is already defined.")
        #expect(error.message == "Protocol 'http' is already defined. (loadBalancers[1].protocol)")
        #expect(error.code == .conflict)
    }

    @Test("the protocol is named first when two balancers without identifiers share all")
    func protocolBeforePort() throws {
        let list = #"[{"protocol":"HTTP",\#(Self.nodes)},{"protocol":"HTTP",\#(Self.nodes)}]"#
        let error = try #require(throws: MessageError.self) { try balancers(list) }
        #expect(error.text == "Protocol 'http' is already defined.")
    }

    @Test("with identifiers they may share a protocol, and one without stands beside those with")
    func identifiers() throws {
        let list = #"""
            [{"id":1,"protocol":"HTTP",\#(Self.nodes)},{"id":"2","protocol":"HTTP","port":81,\#(Self.nodes)},
             {"protocol":"HTTP","port":82,\#(Self.nodes)}]
            """#
        #expect(try balancers(list).map(\.key.description) == ["http-1", "http-2", "http"])
    }

    @Test("an identifier stands for one balancer, whatever its protocol")
    func duplicateIdentifier() throws {
        let list =
            #"[{"id":15,"protocol":"HTTP",\#(Self.nodes)},{"id":"15","protocol":"TCP","port":81,\#(Self.nodes)}]"#
        let error = try #require(throws: MessageError.self) { try balancers(list) }
        #expect(error.message == "Load balancer 'id' '15' is already defined. (loadBalancers[1].id)")
    }

    @Test(
        "no connection could reach two balancers",
        arguments: [
            ("10.0.0.1", "10.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("0.0.0.0", "10.0.0.1"), ("10.0.0.1", "0.0.0.0"),
            ("::", "::"),
            ("::", "0.0.0.0"), ("0.0.0.0", "::"), ("::", "10.0.0.1"), ("10.0.0.1", "::"), ("::", "2001:db8::1"),
            ("2001:db8::1", "::"), ("2001:db8::1", "2001:DB8:0::1"), ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "0.0.0.0"),
        ])
    func overlap(_ first: String, _ second: String) throws {
        let error = try #require(throws: MessageError.self) { try balancers(pair(first, second)) }
        #expect(error.code == .conflict)
        let canonical = try #require(BindAddress(validating: second))
        #expect(
            error.text.hasPrefix(
                "Port 80 of address '\(canonical)' is already taken by load balancer 'http-a' at '"))
        #expect(error.location?.description == "loadBalancers[1].port")
        #expect(try balancers(pair(first, second, port: 81)).count == 2)
    }

    @Test(
        "different addresses share a port",
        arguments: [
            ("10.0.0.1", "10.0.0.2"), ("0.0.0.0", "2001:db8::1"), ("2001:db8::1", "0.0.0.0"), ("::1", "127.0.0.1"),
            ("::1", "::2"),
        ])
    func noOverlap(_ first: String, _ second: String) throws {
        #expect(try balancers(pair(first, second)).count == 2)
    }

    @Test("the third balancer is compared with both before it")
    func third() throws {
        func list(_ addresses: String...) -> String {
            let members = addresses.enumerated().map { index, address in
                #"{"id":\#(index),"protocol":"HTTP","address":"\#(address)",\#(Self.nodes)}"#
            }
            return "[" + members.joined(separator: ",") + "]"
        }
        for addresses in [
            list("10.0.0.1", "::1", "0.0.0.0"), list("::1", "10.0.0.1", "::"), list("::1", "10.0.0.1", "::1"),
        ] {
            #expect(throws: MessageError.self) { try balancers(addresses) }
        }
        #expect(try balancers(list("10.0.0.1", "::1", "10.0.0.2", "::2")).count == 4)
    }

    private func pair(_ first: String, _ second: String, port: Int = 80) -> String {
        #"""
        [{"id":"a","protocol":"HTTP","address":"\#(first)","port":80,\#(Self.nodes)},
         {"id":"b","protocol":"TCP","address":"\#(second)","port":\#(port),\#(Self.nodes)}]
        """#
    }
}
