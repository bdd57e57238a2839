/// One node of one balancer.
public struct NodeReference: Sendable, Hashable, CustomStringConvertible {
    /// The balancer that the node belongs to.
    public let balancer: BalancerKey

    /// The node.
    public let node: NodeKey

    /// Creates a reference.
    public init(balancer: BalancerKey, node: NodeKey) {
        self.balancer = balancer
        self.node = node
    }

    /// Balancer and node, for a person: `http-15/1001`.
    public var description: String { "\(balancer)/\(node)" }
}
