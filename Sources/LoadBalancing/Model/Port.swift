/// A TCP port that a balancer listens on or a node is reached at.
public struct Port: BoundedInteger {
    /// From 1 to 65535; 0 would mean "any" to the system.
    public static let range = 1...65535

    /// The port number.
    public let value: Int

    /// Creates the value, or returns nil when it is out of ``range``.
    public init?(exactly value: Int) {
        guard Self.range.contains(value) else { return nil }
        self.value = value
    }
}
