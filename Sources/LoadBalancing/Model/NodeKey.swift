/// What tells a node from the others of its balancer.
public enum NodeKey: Sendable, Hashable, CustomStringConvertible {
    /// The identifier that the client gave.
    case id(NodeID)

    /// The place in the list, counted from 1, when no node of the balancer has an identifier.
    case position(Int)

    /// The identifier, where the client gave one.
    public var id: NodeID? {
        guard case .id(let id) = self else { return nil }
        return id
    }

    /// What replies call the node: its identifier, or `server1`, `server2`, ….
    public var description: String {
        switch self {
        case .id(let id): id.description
        case .position(let position): "server\(position)"
        }
    }
}
