package import Spool

/// Where a relay hands its lines on to: a PUSH socket, or the sender of the reliable protocol.
///
/// An outlet belongs to one thread, the one that made it. It never blocks but in ``finish(until:end:)``. The relay calls
/// ``offer(_:number:)`` for each line, in order; ``flush()`` when the input pauses; and ``advance()`` after each block
/// of input, when one of ``waits()`` is ready, and when ``nextDeadline`` has come, whichever is first.
package protocol Outlet: AnyObject {
    /// Hands a line on, or packs it into the open batch. The bytes are the caller's again on return.
    ///
    /// - Parameters:
    ///   - line: The line as it is to arrive; it may be empty.
    ///   - number: The line's number, at least 1. Numbers ascend; they skip some where lines were lost before they came
    ///     here. With a spool they go on after a restart where they were, and a line that is offered again then has the
    ///     number it had: what makes message ids stable.
    /// - Returns: Whether the line was taken. When not, there is no room now: offer the same line again after a wait.
    /// - Throws: What makes going on useless.
    func offer(_ line: UnsafeRawBufferPointer, number: UInt64) throws(LogTransportError) -> Bool

    /// Hands on the object that an envelope makes of a line, as ``offer(_:number:)`` does.
    ///
    /// It is for long lines: an outlet can have the object written to where it is to stay, once there is room for it,
    /// so that it is not in memory twice, and not at all where there is no room.
    func offer(
        _ line: UnsafeRawBufferPointer, in envelope: inout JSONEnvelope, number: UInt64
    ) throws(LogTransportError) -> Bool

    /// Hands on a long record of a spool, as ``offer(_:number:)`` does.
    ///
    /// An outlet has it read to where it is to stay, once there is room for it.
    func offer(_ record: SpoolLongRecord, number: UInt64) throws(LogTransportError) -> Bool

    /// Sends the open batch, as far as there is room: the input pauses.
    func flush() throws(LogTransportError)

    /// Takes in what came over the sockets, and does what the clock asks for. Cheap when there is nothing to do.
    func advance() throws(LogTransportError)

    /// What tells that there may be room again after an offer was refused, or that ``advance()`` has something to do.
    ///
    /// - Parameter forRoom: Whether a line waits for room. When not, an outlet that only sends waits for nothing, unless
    ///   a batch that ``flush()`` was to send waits for room.
    /// - Returns: What to poll.
    func waits(forRoom: Bool) -> [Wait]

    /// When ``advance()`` is to be called at the latest; nil when only what ``waits(forRoom:)`` says can bring work.
    var nextDeadline: ContinuousClock.Instant? { get }

    /// The number up to which every line offered has left: given to libzmq by an outlet that pushes, acknowledged by
    /// receivers where delivery is reliable. 0 before the first.
    var acknowledged: UInt64 { get }

    /// A number that grows whenever what stands before a line that finds no room moves on, though it makes no room yet:
    /// at the end of the input that is waited for as long as it goes on.
    var progress: UInt64 { get }

    /// What only the outlet can count.
    var counts: OutletCounts { get }

    /// Hands on what is still here, and closes the sockets.
    ///
    /// - Parameters:
    ///   - deadline: When to give up.
    ///   - end: A descriptor that becomes readable when there is no more time at all.
    /// - Returns: How many lines are left over.
    /// - Throws: What went wrong with handing them on.
    func finish(until deadline: ContinuousClock.Instant, end: Int32) throws(LogTransportError) -> UInt64
}

extension Outlet {
    package var progress: UInt64 { 0 }

    /// Has the envelope make the object in its own memory, and offers it.
    package func offer(
        _ line: UnsafeRawBufferPointer, in envelope: inout JSONEnvelope, number: UInt64
    ) throws(LogTransportError) -> Bool {
        try offer(envelope.wrap(line), number: number)
    }

    /// Has the record read into memory that lasts for as long as the offer, and offers it.
    package func offer(_ record: SpoolLongRecord, number: UInt64) throws(LogTransportError) -> Bool {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: record.count, alignment: 1)
        defer { memory.deallocate() }
        try record.read(to: memory.baseAddress)
        return try offer(UnsafeRawBufferPointer(memory), number: number)
    }
}

extension SpoolLongRecord {
    /// Reads the record to where there is room for it.
    func read(to target: UnsafeMutableRawPointer?) throws(LogTransportError) {
        do throws(SpoolError) {
            try read(into: UnsafeMutableRawBufferPointer(start: target, count: count))
        } catch {
            throw LogTransportError(spool: error)
        }
    }
}

/// Makes an outlet, in the thread that is to use it.
package typealias OutletFactory = @Sendable () throws(LogTransportError) -> any Outlet

/// What an outlet counts beside the lines themselves.
package struct OutletCounts: Sendable, Equatable {
    /// Lines sent again because the receiver that had them is gone or did not answer.
    package var redelivered: UInt64 = 0
    /// Receivers that went away or stopped answering while they had lines.
    package var receiversLost: UInt64 = 0
    /// Messages that came in and are none of the protocol.
    package var garbage: UInt64 = 0
    /// Lines that were taken, and dropped later to make room.
    package var droppedOldest: UInt64 = 0
    /// Lines that were taken, and dropped because there was no room.
    package var droppedNewest: UInt64 = 0
    /// Those of the dropped lines that have a number up to ``Outlet/acknowledged``.
    package var missing: UInt64 = 0
    /// Lines with a number beyond ``Outlet/acknowledged`` that have left, as they are counted at the end.
    package var ahead: UInt64 = 0

    /// Nothing counted yet.
    package init() {}
}
