/// Where in a message a fault is.
public struct MessageLocation: Sendable, Hashable, CustomStringConvertible {
    /// The place of the balancer in `loadBalancers`, counted from 0.
    public var balancer: Int?

    /// The place of the node in `nodes`, counted from 0.
    public var node: Int?

    /// The fields below the balancer or node, separated by dots: `weight`, `monitor.delay`.
    public var field: String?

    /// Creates a location.
    public init(balancer: Int? = nil, node: Int? = nil, field: String? = nil) {
        self.balancer = balancer
        self.node = node
        self.field = field
    }

    static func node(_ node: Int, _ field: String? = nil) -> Self { Self(node: node, field: field) }

    static func field(_ field: String) -> Self { Self(field: field) }

    /// The path from the top of the message: `loadBalancers[0].nodes[2].weight`.
    public var description: String {
        let parts = [balancer.map { "loadBalancers[\($0)]" }, node.map { "nodes[\($0)]" }, field]
        return parts.compactMap(\.self).joined(separator: ".")
    }
}
