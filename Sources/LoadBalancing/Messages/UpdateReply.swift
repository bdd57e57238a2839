import JSON

// What the answer to an UPDATE says of balancers and nodes, beside PASS or FAIL.
extension Reply {
    /// Adds what every node's condition is now, and the path that a monitor asks for.
    ///
    /// - Parameters:
    ///   - balancers: What was asked for.
    ///   - others: The conditions of nodes that are not as they were asked for.
    mutating func addConditions(of balancers: [LoadBalancer], except others: [NodeReference: Condition] = [:]) {
        editBalancers { index, object in
            guard balancers.indices.contains(index) else { return }
            let balancer = balancers[index]
            if let path = balancer.monitor?.path, var monitor = object[Field.monitor]?.object {
                monitor[Field.path] = .string(path.description)
                object[Field.monitor] = .object(monitor)
            }
            Reply.editNodes(of: &object) { index, node in
                guard balancer.nodes.indices.contains(index) else { return }
                let asked = balancer.nodes[index]
                let condition = others[NodeReference(balancer: balancer.key, node: asked.key)] ?? asked.condition
                node[Field.condition] = .string(condition.rawValue)
            }
        }
    }

    /// Marks the nodes that an error stands for: the one it names, else those of the balancer it names, else all.
    mutating func disableNodes(for error: MessageError) {
        disableNodes { balancer, node in
            (error.location?.balancer ?? balancer, error.location?.node ?? node) == (balancer, node)
        }
    }

    /// Marks the nodes that could not be served: all when that is not known.
    mutating func disableNodes(for error: DriverError, of balancers: [LoadBalancer]) {
        let failed = Set(error.failedNodes)
        disableNodes { balancer, node in
            guard !failed.isEmpty, balancers.indices.contains(balancer) else { return true }
            let balancer = balancers[balancer]
            guard balancer.nodes.indices.contains(node) else { return true }
            return failed.contains(NodeReference(balancer: balancer.key, node: balancer.nodes[node].key))
        }
    }

    private mutating func disableNodes(where isFailed: (_ balancer: Int, _ node: Int) -> Bool) {
        editBalancers { balancer, object in
            Reply.editNodes(of: &object) { node, object in
                guard isFailed(balancer, node) else { return }
                object[Field.condition] = .string(Condition.disabled.rawValue)
            }
        }
    }

    private mutating func editBalancers(_ edit: (Int, inout JSONObject) -> Void) {
        for field in [Field.loadBalancers, Field.oldLoadBalancers] {
            guard let balancers = self[field]?.array else { continue }
            self[field] = .array(Reply.edited(balancers, edit))
        }
    }

    private static func editNodes(of balancer: inout JSONObject, _ edit: (Int, inout JSONObject) -> Void) {
        guard let nodes = balancer[Field.nodes]?.array else { return }
        balancer[Field.nodes] = .array(edited(nodes, edit))
    }

    /// Edits the objects of a list; what else may be in it stays as it is.
    private static func edited(_ list: [JSONValue], _ edit: (Int, inout JSONObject) -> Void) -> [JSONValue] {
        list.enumerated().map { index, value in
            guard case .object(var object) = value else { return value }
            edit(index, &object)
            return .object(object)
        }
    }
}
