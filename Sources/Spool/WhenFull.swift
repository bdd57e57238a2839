/// What becomes of records for which a spool has no room: its limit is reached, or the disk is full.
public enum WhenFull: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// The writer waits until there is room.
    case block
    /// The oldest segment is removed, with the records in it that nobody has read.
    case dropOldest = "drop-oldest"
    /// The record that came last is not taken.
    case dropNewest = "drop-newest"

    /// The name on the command line and in configuration files.
    public var description: String { rawValue }
}
