public import JSON

extension LoadBalancer {
    /// Reads all balancers of a message, or of what ``JSONValue/init(_:)`` wrote.
    ///
    /// - Parameter message: An object with the list `loadBalancers`, as UPDATE has it.
    /// - Returns: At least one balancer; no two of them clash.
    /// - Throws: ``MessageError`` for the first fault.
    public static func list(from message: JSONObject) throws(MessageError) -> [LoadBalancer] {
        let values = try LoadBalancerReader.list(Field.loadBalancers, try LoadBalancerReader.element(of: message))
        var balancers: [LoadBalancer] = []
        balancers.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            do throws(MessageError) {
                balancers.append(try LoadBalancerReader.read(value))
            } catch {
                throw error.in { $0.balancer = index }
            }
        }
        try BalancerRules.check(balancers)
        return balancers
    }
}

/// Reads one balancer of a message.
private enum LoadBalancerReader {
    static func element(of message: JSONObject) throws(MessageError) -> JSONValue? {
        let reader = FieldReader(message)
        let element = reader[Field.loadBalancers]
        guard let old = reader[Field.oldLoadBalancers] else { return element }
        guard element == nil else {
            throw MessageError(
                .conflict,
                "'\(Field.loadBalancers)' and '\(Field.oldLoadBalancers)' are both there: send one of them")
        }
        return old
    }

    /// The elements of a list that has to be there and not to be empty.
    static func list(_ field: String, _ value: JSONValue?) throws(MessageError) -> [JSONValue] {
        guard let value, value != .array([]) else { throw MessageError(.missing, "Missing '\(field)' element") }
        guard let list = value.array else {
            throw MessageError(.invalid, "'\(field)' must be an array, not \(value.quoted)", at: .field(field))
        }
        return list
    }

    static func read(_ value: JSONValue) throws(MessageError) -> LoadBalancer {
        guard let object = value.object else {
            throw MessageError(.invalid, "A load balancer must be an object, not \(value.quoted)")
        }
        let reader = FieldReader(object)
        let nodes = try list(Field.nodes, reader[Field.nodes])
        let `protocol` = try readProtocol(reader)
        return try LoadBalancer(
            id: try reader.identifier("id"),
            name: try readName(reader),
            protocol: `protocol`,
            address: try reader.text("address", mustBe: "an IPv4 or IPv6 address") ?? .any,
            port: try readPort(reader, for: `protocol`),
            algorithm: try reader.word("algorithm") ?? .roundRobin,
            monitor: try MonitorReader.read(reader[Field.monitor]),
            options: try readOptions(reader["options"]),
            nodes: try NodeReader.read(nodes))
    }

    private static func readProtocol(_ reader: FieldReader) throws(MessageError) -> BalancerProtocol {
        guard let value = reader["protocol"] else {
            throw MessageError(.missing, "Missing required 'protocol' value.")
        }
        guard let `protocol` = value.string.flatMap(BalancerProtocol.init(word:)) else {
            throw MessageError(.invalid, "Unsupported protocol: \(value.shown)", at: .field("protocol"))
        }
        return `protocol`
    }

    private static func readPort(
        _ reader: FieldReader, for protocol: BalancerProtocol
    ) throws(MessageError) -> Port {
        guard let port = try reader.wholeNumber("port") ?? `protocol`.defaultPort else {
            throw MessageError(.missing, "Port is required for this protocol.", at: .field("port"))
        }
        return port
    }

    private static func readName(_ reader: FieldReader) throws(MessageError) -> String? {
        switch reader["name"] {
        case nil: return nil
        case .string(let name): return name
        case .number(let number): return number.description
        case let value?: throw reader.fault("name", value, mustBe: "a text")
        }
    }

    private static func readOptions(_ value: JSONValue?) throws(MessageError) -> BalancerOptions {
        guard let value else { return BalancerOptions() }
        guard let object = value.object else {
            throw MessageError(.invalid, "'options' must be an object, not \(value.quoted)", at: .field("options"))
        }
        let reader = FieldReader(object, lead: "Option ", path: "options.")
        let defaults = BalancerOptions()
        return BalancerOptions(
            clientTimeout: try reader.wholeNumber("client_timeout") ?? defaults.clientTimeout,
            serverTimeout: try reader.wholeNumber("server_timeout") ?? defaults.serverTimeout,
            connectTimeout: try reader.wholeNumber("connect_timeout") ?? defaults.connectTimeout,
            connectRetries: try reader.wholeNumber("connect_retries") ?? defaults.connectRetries)
    }
}
