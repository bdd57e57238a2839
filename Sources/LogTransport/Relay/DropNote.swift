/// The line that stands in the stream where lines are missing.
///
/// Its text is `libra: N lines are missing here` and why; in the envelope of the lines beside it where they have one.
package struct DropNote: Sendable {
    /// Why lines are missing.
    package enum Reason: String, Sendable {
        /// There was no room for them.
        case noRoom = "dropped for want of room"
        /// The spool removed them to make room, or its file is damaged.
        case lostInSpool = "dropped from the spool for want of room, or damaged on the disk"
        /// libzmq had them for a receiver that another has taken the place of.
        case lostWithReceiver = "lost with their receiver, whose place another took"
    }

    /// How many lines are missing.
    package let count: UInt64
    /// Why.
    package let reason: Reason

    /// Says that lines are missing.
    package init(count: UInt64, reason: Reason) {
        self.count = count
        self.reason = reason
    }

    /// What the note says.
    package var text: String {
        "libra: \(count) \(count == 1 ? "line is" : "lines are") missing here: \(reason.rawValue)"
    }
}
