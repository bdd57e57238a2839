/// How a log on an object store is written and read.
public struct LogOptions: Sendable {
    /// How long an append tries before it gives up with a retriable error; at least one attempt is made.
    public var appendDeadline: Duration
    /// About how many bytes of messages a segment has at most, up to 8 MiB; a longer message has one of its own.
    public var segmentBytes: Int
    /// How often a reader that waits for more looks, on a store that cannot tell it.
    public var pollInterval: Duration
    /// How many bytes a reader fetches ahead of what it hands out.
    public var readAheadBytes: Int

    /// Describes how to write and read.
    public init(
        appendDeadline: Duration = .seconds(30), segmentBytes: Int = 8 << 20, pollInterval: Duration = .seconds(1),
        readAheadBytes: Int = 8 << 20
    ) {
        self.appendDeadline = appendDeadline
        self.segmentBytes = min(max(1, segmentBytes), 8 << 20)
        self.pollInterval = pollInterval
        self.readAheadBytes = readAheadBytes
    }

    /// How old the knowledge of a log's end may be when a segment was put behind it, until `start` has to be read again.
    ///
    /// Retention deletes nothing that is younger than ``retentionMinimumAge``, so a number known to be free less long ago
    /// than that cannot have been used and deleted meanwhile.
    static let freshKnowledge = Duration.seconds(600)
    /// The age below which a segment is never deleted, by the store's clock.
    static let retentionMinimumAge = Duration.seconds(3600)
}
