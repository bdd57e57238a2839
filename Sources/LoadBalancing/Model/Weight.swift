/// How large a node's share of the traffic is, relative to the other nodes of its balancer.
public struct Weight: BoundedInteger {
    /// From 0, which takes no new traffic, to 256, the most that HAProxy knows (manual, section 5.2, `weight`).
    public static let range = 0...256

    /// The weight.
    public let value: Int

    /// Creates the value, or returns nil when it is out of ``range``.
    public init?(exactly value: Int) {
        guard Self.range.contains(value) else { return nil }
        self.value = value
    }
}
