public import CivilTime

/// How much a key's log has.
public struct LogExtent: Sendable, Hashable {
    /// The number of the oldest message; that of the next one when there is none.
    public let firstSequence: UInt64
    /// The number that the next message gets.
    public let nextSequence: UInt64
    /// How many segments the messages are in.
    public let segments: UInt64
    /// When the last segment was written, by its writer's clock; `nil` when there is none.
    public let lastTime: UTCTime?
}

extension LogBroker {
    /// Tells how much a key's log has, with some requests for objects, and a listing where it seems to have nothing.
    ///
    /// - Parameter key: The key, which need not have any messages.
    /// - Returns: The extent, as it was at some time since the call.
    /// - Throws: ``MessageLogError``.
    public func extent(of key: RoutingKey) async throws(MessageLogError) -> LogExtent {
        let folder = try folder(of: key)
        let start = try await folder.start()
        let end = try await folder.end()
        let segments = end.number > start.segment ? end.number - start.segment : 0
        return LogExtent(
            firstSequence: min(start.sequence, end.sequence), nextSequence: end.sequence, segments: segments,
            lastTime: segments > 0 ? end.time : nil)
    }
}
