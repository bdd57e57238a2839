/// A time-out in milliseconds.
public struct Timeout: BoundedInteger {
    /// From 1 ms to 2,147,483,647 ms, HAProxy's longest timer (almost 25 days); 0 would mean "for ever" there.
    public static let range = 1...2_147_483_647

    /// The time in milliseconds.
    public let value: Int

    /// Creates the value, or returns nil when it is out of ``range``.
    public init?(exactly value: Int) {
        guard Self.range.contains(value) else { return nil }
        self.value = value
    }
}
