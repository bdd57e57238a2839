/// What tells a line from all others: its sender and its number there.
///
/// A line that comes again, because a receiver was lost or the sender was started again with its spool, has the id that
/// it had.
public struct MessageID: Sendable, Hashable, CustomStringConvertible {
    /// Who sent the line.
    public let sender: SenderID
    /// The line's number at its sender, ascending from 1 and not without gaps.
    public let number: UInt64

    /// An id from its parts.
    public init(sender: SenderID, number: UInt64) {
        self.sender = sender
        self.number = number
    }

    /// The sender's id, a colon, and the number.
    public var description: String { "\(sender):\(number)" }
}
