internal import Spool

/// The records of a spool, those of an earlier process first.
struct SpoolSource: LineSource, ~Copyable {
    /// How many records are acknowledged to the spool at once while there are more to come.
    private static let group: UInt64 = 1000

    private let spool: Spool
    private let form: LineForm
    /// Set when the thread that fills the spool has ended.
    private let inputEnd: Flag

    private var records: SpoolBlock.Iterator?
    /// A record that is still on the disk, until it has been given.
    private var long: SpoolLongRecord?
    /// The record that was given last, if it is on the disk.
    private var given: SpoolLongRecord?
    /// The number of the note that stands before the records of the block, until it has been given.
    private var noteNumber: UInt64?
    private var note: UnsafeMutableRawBufferPointer?
    private var gaps = GapLedger()
    /// The number before the first that this process has seen.
    private var base: UInt64?
    /// The number of the last record seen.
    private var seen: UInt64 = 0
    private var acknowledged: UInt64 = 0
    private var isIdle = false

    private(set) var number: UInt64 = 0

    init(_ spool: Spool, until inputEnd: Flag, form: LineForm) {
        self.spool = spool
        self.inputEnd = inputEnd
        self.form = form
    }

    deinit { note?.deallocate() }

    func waits(forLines: Bool) -> [Wait] {
        let end = inputEnd.isSet ? [] : [Wait(.descriptor(inputEnd.descriptor), .input)]
        return forLines ? end + [Wait(.descriptor(spool.readable), .input)] : end
    }

    var outlook: SourceOutlook { inputEnd.isSet ? .closing : .open }

    mutating func read() throws(LogTransportError) -> LineReader.Outcome {
        // In this order: what was written before the end is seen after it.
        let isLast = inputEnd.isSet
        let delivery: SpoolDelivery?
        do { delivery = try spool.nextDelivery() } catch { throw LogTransportError(spool: error) }
        isIdle = delivery == nil
        (records, long) = (nil, nil)
        switch delivery {
        case nil: return isLast ? .end : .nothingYet
        case .block(let block):
            let start = block.makeIterator()
            var records = start
            let isMarked = records.next()?.flag == SpoolOutlet.mark
            note(
                from: block.firstSequence, through: block.lastSequence, missingBefore: block.missingBefore,
                isMarked: isMarked)
            self.records = isMarked ? records : start
        case .long(let record):
            note(from: record.sequence, through: record.sequence, missingBefore: record.missingBefore)
            long = record
        }
        return .lines
    }

    /// Takes note of which records come next, and of those that are missing in front of them.
    ///
    /// - Parameters:
    ///   - first: The number of the first of them.
    ///   - last: The number of the last.
    ///   - missingBefore: How many are missing.
    ///   - isMarked: Whether the first is no line, but stands for the note.
    private mutating func note(
        from first: UInt64, through last: UInt64, missingBefore: UInt64, isMarked: Bool = false
    ) {
        let before = first - 1
        if base == nil {
            base = before
            seen = before
        }
        if before > seen { gaps.add(before - seen, through: before) }
        if isMarked { gaps.add(1, through: first) }
        if missingBefore > 0 {
            let bytes = form.bytes(of: DropNote(count: missingBefore, reason: .lostInSpool))
            note?.deallocate()
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
            memory.copyBytes(from: bytes)
            note = memory
            noteNumber = isMarked ? first : before
        }
        seen = last
    }

    /// The next record; of one that is on the disk no byte, but ``offer(_:to:)`` has it.
    mutating func next() -> UnsafeRawBufferPointer? {
        given = nil
        if let noteNumber, let note {
            number = noteNumber
            self.noteNumber = nil
            return UnsafeRawBufferPointer(note)
        }
        given = long.take()
        if let given {
            // Notes are short.
            number = given.sequence
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        guard let record = records?.next() else { return nil }
        number = record.sequence
        if record.flag == SpoolOutlet.note { gaps.add(1, through: number) }
        return record.bytes
    }

    mutating func offer(_ line: UnsafeRawBufferPointer, to outlet: any Outlet) throws(LogTransportError) -> Bool {
        if let given { return try outlet.offer(given, number: number) }
        return try outlet.offer(line, number: number)
    }

    mutating func close() {}

    mutating func acknowledge(through number: UInt64) throws(LogTransportError) {
        guard number > acknowledged, isIdle || number - acknowledged >= Self.group else { return }
        do { try spool.acknowledge(through: number) } catch { throw LogTransportError(spool: error) }
        acknowledged = number
    }

    var nextDeadline: ContinuousClock.Instant? { nil }

    mutating func lines(through number: UInt64) -> UInt64 {
        guard let base, number > base else { return 0 }
        return number - base - gaps.missing(through: number)
    }

    mutating func abandon(isHolding: Bool) throws(LogTransportError) -> UInt64 {
        isIdle = true
        return 0
    }

    func count(into report: inout RelayReport) {
        let counts = spool.counts
        report.spooled = counts.waitingRecords
        report.damaged = counts.corruptRecords
        report.damagedPlaces = counts.corruptPlaces
        report.damagedBytes = counts.corruptBytes
        report.droppedOldest += counts.droppedOldest
    }
}
