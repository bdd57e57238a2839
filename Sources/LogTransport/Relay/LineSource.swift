/// Where the lines of a ``RelayLoop`` come from; it belongs to the loop's thread and never blocks.
protocol LineSource: ~Copyable {
    /// Takes in what there is now, if ``next()`` has returned nil.
    mutating func read() throws(LogTransportError) -> LineReader.Outcome

    /// The next line of what was taken in, valid until the next call; nil when all are given.
    mutating func next() -> UnsafeRawBufferPointer?

    /// Offers the line that ``next()`` gave last to an outlet, as it is to arrive.
    ///
    /// - Returns: Whether it was taken.
    mutating func offer(
        _ line: UnsafeRawBufferPointer, to outlet: any Outlet
    ) throws(LogTransportError) -> Bool

    /// The number of the line that ``next()`` gave last.
    var number: UInt64 { get }

    /// What tells that there is something new.
    ///
    /// - Parameter forLines: Whether there is room for lines; when not, only the end is of interest.
    /// - Returns: What to poll.
    func waits(forLines: Bool) -> [Wait]

    /// Whether anything new can come from outside, as far as that can be told.
    var outlook: SourceOutlook { mutating get }

    /// Takes in no more than what is there at this moment: the relay was asked to end.
    mutating func close()

    /// Learns that all lines up to a number have left.
    mutating func acknowledge(through number: UInt64) throws(LogTransportError)

    /// When ``acknowledge(through:)`` is to be called at the latest, though nothing more has left.
    var nextDeadline: ContinuousClock.Instant? { get }

    /// How many of the lines given so far have a number up to and with `number`; notes are none.
    mutating func lines(through number: UInt64) -> UInt64

    /// Gives up what has not been handed on.
    ///
    /// - Parameter isHolding: Whether the line given last is one of these.
    /// - Returns: How many lines are lost with that; none where they stay in the spool.
    /// - Throws: ``LogTransportError`` when the input cannot be read.
    mutating func abandon(isHolding: Bool) throws(LogTransportError) -> UInt64

    /// Why the source ended before its end, if it did; to be reported once the lines before have been handed on.
    var failure: LogTransportError? { get }

    /// Sets what this source counts.
    func count(into report: inout RelayReport)
}

extension LineSource where Self: ~Copyable {
    @inline(__always) mutating func offer(
        _ line: UnsafeRawBufferPointer, to outlet: any Outlet
    ) throws(LogTransportError) -> Bool {
        try outlet.offer(line, number: number)
    }

    var failure: LogTransportError? { nil }
}

/// What can be expected of a ``LineSource``.
enum SourceOutlook {
    /// More may come.
    case open
    /// Nothing new comes, but what is there has not been read to its end: a file, or a pipe that its writer has closed.
    /// The linger runs only while there is no room.
    case draining
    /// No more is taken in than was there a moment ago: the linger runs.
    case closing
}
