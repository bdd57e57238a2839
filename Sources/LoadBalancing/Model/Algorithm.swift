/// How a balancer chooses the node for a new connection or request.
public enum Algorithm: String, Sendable, Hashable, Word {
    /// In turns, by weight.
    case roundRobin = "ROUND_ROBIN"

    /// The node with the fewest connections, by weight.
    case leastConnections = "LEAST_CONNECTIONS"
}
