/// What a relay did, so far or in all.
public struct RelayReport: Sendable, Equatable {
    /// Lines that came in over the input, those that were dropped or cut included.
    public var linesIn: UInt64 = 0
    /// Lines that left: given to ZeroMQ, or acknowledged by receivers where delivery is reliable.
    ///
    /// Notes about drops and repeats do not count; lines that an earlier process left in the spool do.
    public var linesOut: UInt64 = 0
    /// Bytes that came in.
    public var bytesIn: UInt64 = 0
    /// Lines that were longer than the maximum and were cut to it.
    public var linesCut: UInt64 = 0
    /// Old lines that were dropped to make room for new ones.
    public var droppedOldest: UInt64 = 0
    /// New lines that were dropped because there was no room.
    public var droppedNewest: UInt64 = 0
    /// Lines of the spool that were lost to damaged blocks.
    public var damaged: UInt64 = 0
    /// Damaged places of the spool that were skipped.
    public var damagedPlaces: UInt64 = 0
    /// The bytes in them.
    public var damagedBytes: UInt64 = 0
    /// Lines that were sent again, to another receiver or to the same.
    public var redelivered: UInt64 = 0
    /// Receivers that went away or stopped answering while they had lines.
    public var receiversLost: UInt64 = 0
    /// Messages that came from receivers and are none of the protocol.
    public var garbage: UInt64 = 0
    /// Lines that are here and have not left yet, in the queue or on the way; at the end, those that are lost now.
    public var waiting: UInt64 = 0
    /// Lines in the spool; at the end they stay there for the next start.
    public var spooled: UInt64 = 0
    /// How long the relay has been at work.
    public var duration: Duration = .zero

    /// Nothing done yet.
    public init() {}

    /// Lines dropped for want of room.
    public var dropped: UInt64 { droppedOldest + droppedNewest }
}
