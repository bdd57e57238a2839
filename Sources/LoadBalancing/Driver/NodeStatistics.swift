/// How one node is.
public struct NodeStatistics: Sendable, Hashable {
    /// The node.
    public let node: NodeKey

    /// Whether it receives traffic.
    public let isUp: Bool

    /// What the last health check said; nil when the node is not checked.
    public let check: String?

    /// Its weight in use.
    public let weight: Int

    /// Its sessions at this moment.
    public let sessions: Int

    /// How long ago it last went up or down, in seconds; nil when that is not known.
    public let lastChange: Int?

    /// Creates statistics.
    public init(node: NodeKey, isUp: Bool, check: String?, weight: Int, sessions: Int, lastChange: Int?) {
        self.node = node
        self.isUp = isUp
        self.check = check
        self.weight = weight
        self.sessions = sessions
        self.lastChange = lastChange
    }
}
