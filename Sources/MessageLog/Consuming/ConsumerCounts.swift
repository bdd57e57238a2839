/// What a consumer has done.
public struct ConsumerCounts: Sendable, Hashable {
    /// How many messages the handler has dealt with.
    public var handled = 0
    /// How often the handler was run again after it had failed.
    public var retries = 0
    /// How many messages were put aside as dead letters.
    public var parked = 0

    /// Nothing yet.
    public init() {}

    /// Adds what another has done.
    public static func += (left: inout ConsumerCounts, right: ConsumerCounts) {
        left.handled += right.handled
        left.retries += right.retries
        left.parked += right.parked
    }
}
