/// The rules that hold between the nodes of one balancer.
enum NodeRules {
    static func check(_ nodes: [Node], for protocol: BalancerProtocol) throws(MessageError) {
        guard !nodes.isEmpty else { throw MessageError(.missing, "Missing 'nodes' element") }
        try checkKeys(nodes)
        if `protocol` == .galera { try checkGalera(nodes) }
    }

    private static func checkKeys(_ nodes: [Node]) throws(MessageError) {
        let hasIDs = nodes.contains { $0.key.id != nil }
        var seen = Set<NodeID>()
        seen.reserveCapacity(hasIDs ? nodes.count : 0)
        for (index, node) in nodes.enumerated() {
            switch node.key {
            case .id(let id):
                guard seen.insert(id).inserted else {
                    throw MessageError(
                        .conflict, "Failure adding server \(id): Node 'id' '\(id)' is already defined.",
                        at: .node(index, "id"))
                }
            case .position(let position):
                guard !hasIDs, position == index + 1 else {
                    throw MessageError(.missing, "Missing node 'id'", at: .node(index))
                }
            }
        }
    }

    private static func checkGalera(_ nodes: [Node]) throws(MessageError) {
        let active = nodes.indices.filter { !nodes[$0].isBackup }
        guard let second = active.dropFirst().first else { return }
        throw MessageError(
            .conflict,
            "Failure adding server \(nodes[second].key): "
                + "Galera protocol does not accept more than one non-backup node",
            at: .node(second, "backup"))
    }
}
