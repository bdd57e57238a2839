/// How often a failed connection to a node is tried again.
public struct Retries: BoundedInteger {
    /// From 0, which is never, to 65535, what every HAProxy since 2.0 can hold.
    public static let range = 0...65535

    /// The number of retries.
    public let value: Int

    /// Creates the value, or returns nil when it is out of ``range``.
    public init?(exactly value: Int) {
        guard Self.range.contains(value) else { return nil }
        self.value = value
    }
}
