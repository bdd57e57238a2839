/// How a relay treats the lines between its input and its outlet.
public struct RelayOptions: Sendable {
    /// What happens to lines for which there is no room, where there is no spool.
    public enum WhenFull: String, Sendable, CaseIterable {
        /// The relay stops reading, and the writer on the other side of the pipe waits.
        case block
        /// The oldest lines in the queue make room; a note in the stream says how many are missing.
        case dropOldest = "drop-oldest"
        /// New lines are dropped; a note in the stream says how many are missing.
        case dropNewest = "drop-newest"
    }

    /// The length in bytes, without its newline, to which a longer line is cut; at least 1.
    public var maximumLine = 1 << 20
    /// Whether a line keeps its newline.
    public var keepsNewline = false
    /// How long to go on handing lines on after the input has ended.
    public var linger = Duration.seconds(30)
    /// What happens where there is no spool and no room.
    public var whenFull = WhenFull.block
    /// How many bytes wait in memory at most when ``whenFull`` drops lines.
    public var queueLimit = 4 << 20
    /// Whether standard output says `OK` for each line that is safe, as rsyslog's omprog wants it with `confirmMessages`.
    public var confirms = false

    /// The defaults: nothing on disk, and the writer waits when there is no room.
    public init() {}

    /// Refuses what cannot be, and what makes no sense together.
    func check(hasSpool: Bool) throws(LogTransportError) {
        guard maximumLine >= 1, maximumLine <= 1 << 30 else {
            throw LogTransportError(.invalidArgument, "a line has 1 byte up to 1 GiB, not \(maximumLine)")
        }
        guard linger >= .zero else {
            throw LogTransportError(.invalidArgument, "the linger cannot be \(linger): name 0 or more")
        }
        guard hasSpool || whenFull == .block else { return try checkDropping() }
    }

    private func checkDropping() throws(LogTransportError) {
        guard queueLimit >= maximumLine else {
            throw LogTransportError(
                .invalidArgument,
                "a queue of \(queueLimit) bytes holds no line of \(maximumLine): make it longer, or lines shorter")
        }
        guard !confirms else {
            throw LogTransportError(
                .invalidArgument, "lines that are confirmed cannot be dropped: let the writer wait, or use a spool")
        }
    }
}
