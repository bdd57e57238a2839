public import JSON

extension JSONValue {
    /// Writes balancers as an UPDATE describes them, every default spelled out.
    ///
    /// ``LoadBalancer/list(from:)`` reads them again, exactly.
    public init(_ balancers: [LoadBalancer]) {
        self = [Field.loadBalancers: .array(balancers.map(JSONValue.init(balancer:)))]
    }

    private init(balancer: LoadBalancer) {
        var object = JSONObject()
        object["id"] = balancer.id.map { .string($0.description) }
        object["name"] = balancer.name.map { .string($0) }
        object["protocol"] = .string(balancer.protocol.rawValue)
        object["address"] = .string(balancer.address.description)
        object["port"] = .number(balancer.port.value)
        object["algorithm"] = .string(balancer.algorithm.rawValue)
        object[Field.monitor] = balancer.monitor.map(JSONValue.init(monitor:))
        object["options"] = JSONValue(options: balancer.options)
        object[Field.nodes] = .array(balancer.nodes.map(JSONValue.init(node:)))
        self = .object(object)
    }

    private init(monitor: Monitor) {
        self = [
            "type": .string(monitor.kind.rawValue),
            "delay": .number(monitor.delay.value),
            "timeout": .number(monitor.timeout.value),
            "attempts": .number(monitor.attempts.value),
            Field.path: .string(monitor.path.description),
        ]
    }

    private init(options: BalancerOptions) {
        self = [
            "client_timeout": .number(options.clientTimeout.value),
            "server_timeout": .number(options.serverTimeout.value),
            "connect_timeout": .number(options.connectTimeout.value),
            "connect_retries": .number(options.connectRetries.value),
        ]
    }

    private init(node: Node) {
        var object = JSONObject()
        object["id"] = node.key.id.map { .string($0.description) }
        object["address"] = .string(node.address.description)
        object["port"] = .number(node.port.value)
        object["weight"] = .number(node.weight.value)
        object["backup"] = .string(String(node.isBackup))
        object[Field.condition] = .string(node.condition.rawValue)
        self = .object(object)
    }
}
