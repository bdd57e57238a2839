/// How many health checks in a row decide that a node is up or down.
public struct Attempts: BoundedInteger {
    /// From 1 to 65535; HAProxy's own counters of checks are not safe to drive to the end of their range.
    public static let range = 1...65535

    /// The number of checks.
    public let value: Int

    /// Creates the value, or returns nil when it is out of ``range``.
    public init?(exactly value: Int) {
        guard Self.range.contains(value) else { return nil }
        self.value = value
    }
}
