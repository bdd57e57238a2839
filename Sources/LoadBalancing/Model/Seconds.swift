/// A time of a health check in seconds.
public struct Seconds: BoundedInteger {
    /// From 1 s to 2,147,483 s, the whole seconds of HAProxy's longest timer (almost 25 days).
    public static let range = 1...2_147_483

    /// The time in seconds.
    public let value: Int

    /// Creates the value, or returns nil when it is out of ``range``.
    public init?(exactly value: Int) {
        guard Self.range.contains(value) else { return nil }
        self.value = value
    }
}
