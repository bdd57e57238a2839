/// What a spool holds, and what it has lost, since it was opened.
public struct SpoolCounts: Sendable, Equatable {
    /// Records that wait to be acknowledged, those in the block that is not written yet included.
    public var waitingRecords: UInt64 = 0
    /// What the spool's files take on the disk, and the block that is not written yet, in bytes.
    public var usedBytes: Int = 0
    /// Records that ``Spool/append(_:flag:)`` took.
    public var appendedRecords: UInt64 = 0
    /// Records that ``Spool/next()`` handed out.
    public var deliveredRecords: UInt64 = 0
    /// Records that nobody had read when they were removed to make room.
    public var droppedOldest: UInt64 = 0
    /// Records that were not taken because there was no room.
    public var droppedNewest: UInt64 = 0
    /// Records that nobody can read, because the blocks that they were in are damaged.
    public var corruptRecords: UInt64 = 0
    /// Damaged places that were skipped.
    public var corruptPlaces: UInt64 = 0
    /// The bytes in them.
    public var corruptBytes: UInt64 = 0
    /// Whether the disk has no room for the block that is to be written.
    public var isDiskFull = false
}

/// What a spool found in its directory when it was opened.
public struct SpoolRecovery: Sendable, Equatable {
    /// Records that wait for the reader, from before.
    public var waitingRecords: UInt64 = 0
    /// Records that had been written behind these and are not there any more, as far as the cursor knows of them.
    ///
    /// They are damaged, or gone with their file, or were dropped to make room before a reader learned of it. The next
    /// block that is written says so to its reader (``SpoolBlock/missingBefore``).
    public var lostRecords: UInt64 = 0
    /// Segments that were there.
    public var segments: Int = 0
    /// Bytes of a block whose writing was interrupted, cut off the last segment; its records were never committed.
    public var tornBytes: Int = 0
    /// Whether the place that the reader had reached could not be read, so that all that is there is handed out again.
    public var lostCursor = false
    /// Whether others than its owner may write to the directory: they could take records away, and put in their own.
    public var isOpenToOthers = false
}
