internal import Spool

/// The end of the input's thread: what goes into the spool.
///
/// Where the spool has no room and drops new lines, a note takes their place as soon as there is room for it, if need be in
/// the next process.
final class SpoolOutlet: Outlet {
    /// What marks a note among the spool's records.
    static let note: UInt8 = 1
    /// What marks an empty record that stands for the note about what is missing before it; the reader writes that.
    static let mark: UInt8 = 2
    /// How long until a commit that failed for want of room is tried again.
    private static let retryInterval = Duration.milliseconds(100)
    /// How long a full disk is let alone.
    private static let diskInterval = Duration.milliseconds(500)

    private let spool: Spool
    private let commits: Bool
    private let form: LineForm
    private var taken: UInt64 = 0
    private var dropped: UInt64 = 0
    /// How many lines are missing behind the last that was taken.
    private var gap: UInt64 {
        didSet { spool.untold = gap }
    }
    /// Whether lines of an earlier process are lost, and no record stands behind them yet.
    private var owesMark: Bool

    private(set) var acknowledged: UInt64 = 0
    private(set) var nextDeadline: ContinuousClock.Instant?

    /// Makes the outlet.
    ///
    /// - Parameters:
    ///   - spool: Where lines go; this is its only writer. From now on the spool does not wait for room: the relay's loop
    ///     does, on all that can bring work meanwhile.
    ///   - commits: Whether a line counts as acknowledged only when it is as safe as the spool promises.
    ///   - form: What lines look like, for the notes between them.
    init(_ spool: Spool, commits: Bool, form: LineForm) {
        self.spool = spool
        self.commits = commits
        self.form = form
        gap = spool.untold
        spool.interrupt()
        owesMark = spool.recovery.lostRecords > 0
    }

    func offer(_ line: UnsafeRawBufferPointer, number: UInt64) throws(LogTransportError) -> Bool {
        let result = try noteGap()
        return try note(result == .appended ? try append(line, flag: 0) : result, of: number)
    }

    func offer(
        _ line: UnsafeRawBufferPointer, in envelope: inout JSONEnvelope, number: UInt64
    ) throws(LogTransportError) -> Bool {
        var result = try noteGap()
        guard result == .appended else { return try note(result, of: number) }
        do throws(SpoolError) {
            result = try spool.append(count: envelope.size(of: line)) { envelope.forEachPiece(of: line, $0) }
        } catch {
            throw LogTransportError(spool: error)
        }
        return try note(result, of: number)
    }

    /// Takes note of what became of a line; false when it is to be offered again.
    private func note(_ result: Spool.Appending, of number: UInt64) throws(LogTransportError) -> Bool {
        switch result {
        case .appended:
            taken = number
            owesMark = false
            return true
        case .interrupted:
            // The lines before it do not wait with it.
            try flush()
            if spool.counts.isDiskFull { nextDeadline = .now + Self.diskInterval }
            return false
        case .dropped where commits:
            // It is not confirmed, so that its sender has it still; here it waits as if the sender had to.
            nextDeadline = .now + Self.retryInterval
            return false
        case .dropped:
            gap += 1
            dropped += 1
            taken = number
            return true
        }
    }

    /// Puts a note in where lines are missing.
    ///
    /// - Returns: What became of it, and has to become of the line behind it: no line stands before the note.
    private func noteGap() throws(LogTransportError) -> Spool.Appending {
        guard gap > 0 else { return .appended }
        let note = form.bytes(of: DropNote(count: gap, reason: .noRoom))
        let result = note.withUnsafeBytes { note in
            Result<Spool.Appending, LogTransportError> { () throws(LogTransportError) in
                try append(note, flag: Self.note)
            }
        }
        let appended = try result.get()
        if appended == .appended { gap = 0 }
        return appended
    }

    private func append(_ record: UnsafeRawBufferPointer, flag: UInt8) throws(LogTransportError) -> Spool.Appending {
        do throws(SpoolError) {
            return try spool.append(record, flag: flag)
        } catch {
            throw LogTransportError(spool: error)
        }
    }

    func flush() throws(LogTransportError) {
        nextDeadline = nil
        do throws(SpoolError) {
            if commits { try spool.commit() } else { try spool.write() }
            acknowledged = taken
        } catch  where error.code == .full {
            nextDeadline = .now + Self.retryInterval
        } catch {
            throw LogTransportError(spool: error)
        }
        if gap > 0, spool.counts.isDiskFull { nextDeadline = .now + Self.diskInterval }
    }

    func advance() throws(LogTransportError) {
        if owesMark, try append(UnsafeRawBufferPointer(start: nil, count: 0), flag: Self.mark) == .appended {
            owesMark = false
            try flush()
        }
        let isTime = nextDeadline.map { .now >= $0 } ?? false
        var hasNoted = false
        if gap > 0, isTime || Wait.isReadable(spool.room) { hasNoted = try noteGap() == .appended }
        if isTime || hasNoted { try flush() }
    }

    func waits(forRoom: Bool) -> [Wait] {
        forRoom || owesMark || gap > 0 ? [Wait(.descriptor(spool.room), .input)] : []
    }

    /// Room comes back one segment at a time, and a reader may need longer than the linger for one.
    var progress: UInt64 { spool.counts.deliveredRecords }

    var counts: OutletCounts {
        var counts = OutletCounts()
        counts.droppedNewest = dropped
        return counts
    }

    func finish(until deadline: ContinuousClock.Instant, end: Int32) throws(LogTransportError) -> UInt64 {
        if gap > 0 { _ = try noteGap() }
        while owesMark || gap > 0, .now < deadline, !Wait.isReadable(end) {
            try Wait.any(
                of: waits(forRoom: true) + [Wait(.descriptor(end), .input)],
                until: [deadline, nextDeadline].compactMap(\.self).min())
            try advance()
        }
        // A note that found no room is for the next process: the spool keeps its number.
        try flush()
        return 0
    }
}
