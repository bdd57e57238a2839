/// One server that a balancer sends traffic to.
public struct Node: Sendable, Hashable {
    /// What tells the node from the others of its balancer.
    public let key: NodeKey

    /// Where the node is.
    public let address: NodeAddress

    /// The port it is reached at.
    public let port: Port

    /// How large its share of the traffic is.
    public let weight: Weight

    /// Whether it takes traffic only when no other node can.
    public let isBackup: Bool

    /// Whether it is to receive traffic.
    public let condition: Condition

    /// Creates a node.
    public init(
        key: NodeKey,
        address: NodeAddress,
        port: Port,
        weight: Weight = 1,
        isBackup: Bool = false,
        condition: Condition = .enabled
    ) {
        self.key = key
        self.address = address
        self.port = port
        self.weight = weight
        self.isBackup = isBackup
        self.condition = condition
    }
}
