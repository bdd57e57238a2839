import LoadBalancing
import Testing

@Suite struct RefusalTests {
    /// A list of balancers, the words that refuse it, and the place they name.
    typealias Case = (list: String, text: String, place: String)

    private static let node = #"{"id":"1001","address":"10.0.0.1","port":80}"#

    private static func nodes(_ nodes: String, protocol: String = "HTTP", port: Int = 80) -> String {
        #"[{"protocol":"\#(`protocol`)","port":\#(port),"nodes":\#(nodes)}]"#
    }

    private static func node(_ members: String) -> String {
        nodes(#"[\#(node),{"id":"1002","address":"10.0.0.2","port":80,\#(members)}]"#)
    }

    private static func balancer(_ members: String) -> String {
        #"[{\#(members),"nodes":[\#(node)]}]"#
    }

    private static func monitor(_ members: String) -> String {
        balancer(#""protocol":"HTTP","monitor":{\#(members)}"#)
    }

    private static let first = "loadBalancers[0]"
    private static let second = "loadBalancers[0].nodes[1]"

    @Test(
        "what is missing is named in the words that clients know",
        arguments: [
            ("[]", "Missing 'loadBalancers' element", ""),
            ("null", "Missing 'loadBalancers' element", ""),
            ("[{}]", "Missing 'nodes' element", first),
            (#"[{"nodes":[],"protocol":"HTTP"}]"#, "Missing 'nodes' element", first),
            (#"[{"nodes":null,"protocol":"HTTP"}]"#, "Missing 'nodes' element", first),
            (balancer(#""port":80"#), "Missing required 'protocol' value.", first),
            (balancer(#""protocol":null"#), "Missing required 'protocol' value.", first),
            (balancer(#""protocol":"TCP""#), "Port is required for this protocol.", first + ".port"),
            (balancer(#""protocol":"galera","port":null"#), "Port is required for this protocol.", first + ".port"),
            (nodes("[{}]"), "Missing node 'port'", first + ".nodes[0]"),
            (nodes(#"[{"id":1,"address":"a"}]"#), "Missing node 'port'", first + ".nodes[0]"),
            (nodes(#"[{"id":1,"port":80}]"#), "Missing node 'address'", first + ".nodes[0]"),
            (nodes(#"[{"id":1,"port":80,"address":null}]"#), "Missing node 'address'", first + ".nodes[0]"),
            (nodes(#"[\#(node),{"address":"10.0.0.2","port":80}]"#), "Missing node 'id'", second),
            (nodes(#"[{"address":"a","port":80,"id":null},\#(node)]"#), "Missing node 'id'", first + ".nodes[0]"),
            (monitor(""), "Missing monitor value 'type'", first + ".monitor"),
            (monitor(#""delay":1,"timeout":1,"attempts":1"#), "Missing monitor value 'type'", first + ".monitor"),
            (
                monitor(#""type":"HTTP","timeout":1,"attempts":1"#), "Missing monitor value 'delay'",
                first + ".monitor"
            ),
            (
                monitor(#""type":"HTTP","delay":1,"attempts":1"#), "Missing monitor value 'timeout'",
                first + ".monitor"
            ),
            (
                monitor(#""type":"HTTP","delay":1,"timeout":1,"attempts":null"#), "Missing monitor value 'attempts'",
                first + ".monitor"
            ),
        ] as [Case])
    func missing(_ refused: Case) throws {
        try check(refused, .missing)
    }

    @Test(
        "what is of the wrong form is named with its value",
        arguments: [
            (#"{"a":1}"#, "'loadBalancers' must be an array, not an object", "loadBalancers"),
            (#""x""#, "'loadBalancers' must be an array, not 'x'", "loadBalancers"),
            ("[7]", "A load balancer must be an object, not '7'", first),
            (#"[{"nodes":{}}]"#, "'nodes' must be an array, not an object", first + ".nodes"),
            (nodes(#"["a"]"#), "A node must be an object, not 'a'", first + ".nodes[0]"),
            (balancer(#""protocol":"UDP""#), "Unsupported protocol: UDP", first + ".protocol"),
            (balancer(#""protocol":6"#), "Unsupported protocol: 6", first + ".protocol"),
            (balancer(#""protocol":"H\nT""#), #"Unsupported protocol: H\u{a}T"#, first + ".protocol"),
            (balancer(#""protocol":["HTTP"]"#), "Unsupported protocol: an array", first + ".protocol"),
            (
                balancer(#""protocol":"HTTP","port":0"#), "'port' must be a whole number from 1 to 65535, not '0'",
                first + ".port"
            ),
            (
                balancer(#""protocol":"HTTP","port":"http""#),
                "'port' must be a whole number from 1 to 65535, not 'http'", first + ".port"
            ),
            (
                balancer(#""protocol":"HTTP","id":"a b""#),
                "'id' must be 1 to 64 letters, digits, '_' and '-', not beginning with '-', not 'a b'", first + ".id"
            ),
            (
                balancer(#""protocol":"HTTP","id":true"#),
                "'id' must be 1 to 64 letters, digits, '_' and '-', not beginning with '-', not 'true'", first + ".id"
            ),
            (
                balancer(#""protocol":"HTTP","id":1.5"#),
                "'id' must be 1 to 64 letters, digits, '_' and '-', not beginning with '-', not '1.5'", first + ".id"
            ),
            (balancer(#""protocol":"HTTP","name":{}"#), "'name' must be a text, not an object", first + ".name"),
            (
                balancer(#""protocol":"HTTP","address":"example.com""#),
                "'address' must be an IPv4 or IPv6 address, not 'example.com'", first + ".address"
            ),
            (
                balancer(#""protocol":"HTTP","algorithm":"RANDOM""#),
                "'algorithm' must be ROUND_ROBIN or LEAST_CONNECTIONS, not 'RANDOM'", first + ".algorithm"
            ),
            (
                balancer(#""protocol":"HTTP","options":[]"#), "'options' must be an object, not an array",
                first + ".options"
            ),
            (
                balancer(#""protocol":"HTTP","options":{"client_timeout":0}"#),
                "Option 'client_timeout' must be a whole number from 1 to 2147483647, not '0'",
                first + ".options.client_timeout"
            ),
            (
                balancer(#""protocol":"HTTP","options":{"server_timeout":"30s"}"#),
                "Option 'server_timeout' must be a whole number from 1 to 2147483647, not '30s'",
                first + ".options.server_timeout"
            ),
            (
                balancer(#""protocol":"HTTP","options":{"connect_timeout":2147483648}"#),
                "Option 'connect_timeout' must be a whole number from 1 to 2147483647, not '2147483648'",
                first + ".options.connect_timeout"
            ),
            (
                balancer(#""protocol":"HTTP","options":{"connect_retries":-1}"#),
                "Option 'connect_retries' must be a whole number from 0 to 65535, not '-1'",
                first + ".options.connect_retries"
            ),
        ] as [Case])
    func invalidBalancer(_ refused: Case) throws {
        try check(refused, .invalid)
    }

    @Test(
        "what is wrong with a node begins with the node",
        arguments: [
            (node(#""weight":"a""#), "Failure adding server 1002: Non-integer 'weight' value: 'a'", ".weight"),
            (node(#""weight":1.5"#), "Failure adding server 1002: Non-integer 'weight' value: '1.5'", ".weight"),
            (node(#""weight":true"#), "Failure adding server 1002: Non-integer 'weight' value: 'true'", ".weight"),
            (node(#""weight":"""#), "Failure adding server 1002: Non-integer 'weight' value: ''", ".weight"),
            (node(#""weight":[1]"#), "Failure adding server 1002: Non-integer 'weight' value: an array", ".weight"),
            (node(#""weight":257"#), "Failure adding server 1002: Server 'weight' 257 exceeds max of 256", ".weight"),
            (node(#""weight":"257""#), "Failure adding server 1002: Server 'weight' 257 exceeds max of 256", ".weight"),
            (
                node(#""weight":18446744073709551616"#),
                "Failure adding server 1002: Server 'weight' 18446744073709551616 exceeds max of 256", ".weight"
            ),
            (node(#""weight":-1"#), "Failure adding server 1002: Server 'weight' -1 is below min of 0", ".weight"),
            (
                node(#""weight":-18446744073709551616"#),
                "Failure adding server 1002: Server 'weight' -18446744073709551616 is below min of 0", ".weight"
            ),
            (
                node(#""backup":"yes""#), "Failure adding server 1002: 'backup' must be true or false, not 'yes'",
                ".backup"
            ),
            (node(#""backup":1"#), "Failure adding server 1002: 'backup' must be true or false, not '1'", ".backup"),
            (
                node(#""condition":"BUSY""#),
                "Failure adding server 1002: 'condition' must be ENABLED, DISABLED or DRAINING, not 'BUSY'",
                ".condition"
            ),
        ] as [Case])
    func invalidNode(_ refused: Case) throws {
        try check((refused.list, refused.text, Self.second + refused.place), .invalid)
    }

    @Test(
        "what is wrong with a required value of a node begins with the node too",
        arguments: [
            (#"{"id":"a b","address":"a","port":80}"#, "Failure adding server a b: 'id' must be", ".id"),
            (#"{"id":{},"address":"a","port":80}"#, "Failure adding server an object: 'id' must be", ".id"),
            (#"{"address":"a","port":65536}"#, "Failure adding server server1: 'port' must be", ".port"),
            (#"{"address":"0.0.0.0","port":80}"#, "Failure adding server server1: 'address' must be", ".address"),
            (#"{"address":10,"port":80}"#, "Failure adding server server1: 'address' must be", ".address"),
        ] as [Case])
    func invalidRequired(_ refused: Case) throws {
        let error = try #require(throws: MessageError.self) { try balancers(Self.nodes("[\(refused.list)]")) }
        #expect(error.text.hasPrefix(refused.text))
        #expect(error.location?.description == Self.first + ".nodes[0]" + refused.place)
    }

    @Test(
        "a monitor's values are of their type and range, and its timeout not above its delay",
        arguments: [
            (
                #""type":"PING","delay":1,"timeout":1,"attempts":1"#, "'type' must be CONNECT or HTTP, not 'PING'",
                "type"
            ),
            (
                #""type":"HTTP","delay":0,"timeout":1,"attempts":1"#,
                "'delay' must be a whole number from 1 to 2147483, not '0'", "delay"
            ),
            (
                #""type":"HTTP","delay":1,"timeout":0.5,"attempts":1"#,
                "'timeout' must be a whole number from 1 to 2147483, not '0.5'", "timeout"
            ),
            (
                #""type":"HTTP","delay":1,"timeout":1,"attempts":0"#,
                "'attempts' must be a whole number from 1 to 65535, not '0'", "attempts"
            ),
            (
                #""type":"HTTP","delay":1,"timeout":1,"attempts":1,"path":"/a b""#,
                "'path' must be at most 1024 printable ASCII characters without space, quotation mark, '\\' and '#', "
                    + "not '/a b'", "path"
            ),
        ] as [Case])
    func invalidMonitor(_ refused: Case) throws {
        try check(
            (Self.monitor(refused.list), "Monitor value " + refused.text, Self.first + ".monitor." + refused.place),
            .invalid)
    }

    @Test("a monitor is an object whose timeout is not above its delay")
    func monitorConflict() throws {
        try check(
            (
                Self.balancer(#""protocol":"HTTP","monitor":"HTTP""#), "'monitor' must be an object, not 'HTTP'",
                Self.first + ".monitor"
            ), .invalid)
        try check(
            (
                Self.monitor(#""type":"HTTP","delay":10,"timeout":"11","attempts":1"#),
                "Monitor value 'timeout' 11 is above 'delay' 10", Self.first + ".monitor.timeout"
            ), .conflict)
    }

    @Test("nodes of one balancer have identifiers of their own, and GALERA one that is no backup")
    func nodeConflicts() throws {
        try check(
            (
                Self.nodes(#"[{"id":7,"address":"a","port":1},{"id":"7","address":"b","port":1}]"#),
                "Failure adding server 7: Node 'id' '7' is already defined.", Self.second + ".id"
            ), .conflict)
        try check(
            (
                Self.nodes(
                    #"[{"id":1,"address":"a","port":1,"backup":"false"},{"id":2,"address":"b","port":1}]"#,
                    protocol: "GALERA", port: 3306),
                "Failure adding server 2: Galera protocol does not accept more than one non-backup node",
                Self.second + ".backup"
            ), .conflict)
    }

    private func check(_ refused: Case, _ code: MessageError.Code) throws {
        let error = try #require(throws: MessageError.self) { try balancers(refused.list) }
        #expect(error.text == refused.text)
        #expect(error.code == code)
        #expect((error.location?.description ?? "") == refused.place)
        #expect(error.message == (refused.place.isEmpty ? refused.text : "\(refused.text) (\(refused.place))"))
    }
}
