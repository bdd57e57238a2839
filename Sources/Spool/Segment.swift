/// One file of a spool, as the process that has it knows it.
struct Segment {
    /// The sequence number of its first record, which is its name.
    let firstSequence: UInt64
    /// How many records the spool had taken before that one.
    var firstOrdinal: UInt64
    /// What its blocks start with; nil when that cannot be found out, so that nothing of it can be read.
    let mark: UInt64?
    /// How many bytes of it may be read.
    var size: Int
    /// How many records the spool had taken when the last one of it was written.
    var endOrdinal: UInt64
    /// Whether nothing will be added to it.
    var isSealed: Bool

    var name: String { SegmentFile.name(firstSequence) }
}
