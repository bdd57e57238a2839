/// How much of a log is kept; what goes by either limit goes.
public struct RetentionPolicy: Sendable, Hashable {
    /// How old a segment may get, by the store's clock.
    ///
    /// Below an hour it is an hour; `nil` is any age.
    public var maximumAge: Duration?
    /// How many bytes of segments are kept; `nil` for any number.
    public var maximumBytes: Int?
    /// Whether messages may go that a cursor stands before; its consumer is told `expired` then.
    public var passesCursors: Bool
    /// Whether it is only found out what would go.
    public var isTrial: Bool

    /// Describes what is kept.
    public init(
        maximumAge: Duration? = nil, maximumBytes: Int? = nil, passesCursors: Bool = false, isTrial: Bool = false
    ) {
        self.maximumAge = maximumAge
        self.maximumBytes = maximumBytes
        self.passesCursors = passesCursors
        self.isTrial = isTrial
    }
}

/// What retention did, or would do.
public struct RetentionReport: Sendable, Hashable {
    /// How many segments went.
    public var segments: UInt64 = 0
    /// How many messages went with them.
    public var messages: UInt64 = 0
    /// How many bytes went; more than the segments' where an earlier run had left something.
    public var bytes = 0
    /// The number of the oldest message now.
    public var firstSequence: UInt64
    /// The cursor without which more would have gone.
    public var heldBackBy: ConsumerName?
}

extension LogBroker {
    /// Removes the oldest segments of a key.
    ///
    /// The newest segment stays, and so do those of the last hour and, unless the policy says otherwise, whatever a cursor
    /// has not passed that is kept beside the log or in the folder that is named. Cursors in other folders, those of other
    /// hosts above all, cannot be seen and hold nothing back. Numbers are never used again.
    ///
    /// - Parameters:
    ///   - key: Whose messages.
    ///   - policy: What is kept.
    ///   - folder: A folder in which cursors are kept, too; `nil` for none.
    /// - Returns: What went.
    /// - Throws: ``MessageLogError``; what was removed by then stays removed, and the next run goes on.
    public func retain(
        _ key: RoutingKey, _ policy: RetentionPolicy, cursorsIn folder: String? = nil
    ) async throws(MessageLogError) -> RetentionReport {
        try await preflight.check()
        let log = try self.folder(of: key)
        var shelves = [try shelf(of: log, in: nil)]
        if let folder { shelves.append(try shelf(of: log, in: folder)) }
        return try await Retention(folder: log, shelves: shelves, policy: policy).run()
    }
}
