/// How the nodes of one balancer are.
public struct BalancerStatistics: Sendable, Hashable {
    /// The balancer.
    public let balancer: BalancerKey

    /// Its nodes.
    public let nodes: [NodeStatistics]

    /// Creates statistics.
    public init(balancer: BalancerKey, nodes: [NodeStatistics]) {
        self.balancer = balancer
        self.nodes = nodes
    }
}
