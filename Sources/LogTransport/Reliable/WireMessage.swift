/// One message of the reliable protocol, but for the lines of a batch, which are a frame of their own; docs/wire.md.
enum WireMessage: Equatable, Sendable {
    /// How much a receiver takes that it has not acknowledged.
    struct Window: Equatable, Sendable {
        var bytes: UInt32
        var lines: UInt32
    }

    /// What stands before a batch.
    struct BatchHeader: Equatable, Sendable {
        /// The batch's place in the session, from 1.
        var sequence: UInt64
        var sender: SenderID
        /// The number of the first line.
        var first: UInt64
        /// How many lines at the beginning were acknowledged before.
        var skip: UInt32
        /// Whether it may have been with a receiver before.
        var isRedelivered: Bool
    }

    /// How far a receiver has come.
    struct Progress: Equatable, Comparable, Sendable {
        /// All batches up to this one are processed.
        var sequence: UInt64
        /// And so many lines of the one after it.
        var lines: UInt32

        static func < (left: Progress, right: Progress) -> Bool {
            (left.sequence, left.lines) < (right.sequence, right.lines)
        }
    }

    /// A number that a receiver chooses for each of its sessions; 0 stands for none.
    typealias Session = UInt64

    /// Sender: say HELLO, there is no session, or not any more.
    case offer(Session)
    /// Receiver: this session begins.
    case hello(Session, Window)
    /// Sender: lines, in the frame that follows.
    case batch(Session, BatchHeader)
    /// Sender: I am here.
    case ping(Session)
    /// Receiver: I am here, and have come this far.
    case acknowledgement(Session, Progress, Window)
    /// Either: the session ends.
    case bye(Session)
}
