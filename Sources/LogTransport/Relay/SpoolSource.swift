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
        let block: SpoolBlock?
        do { block = try spool.next() } catch { throw SpoolOutlet.failure(error) }
        isIdle = block == nil
        guard let block else { return isLast ? .end : .nothingYet }
        take(block)
        return .lines
    }

    private mutating func take(_ block: SpoolBlock) {
        let before = block.firstSequence - 1
        if base == nil {
            base = before
            seen = before
        }
        if before > seen { gaps.add(before - seen, through: before) }
        if block.missingBefore > 0 {
            let bytes = form.bytes(of: DropNote(count: block.missingBefore, reason: .lostInSpool))
            note?.deallocate()
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
            memory.copyBytes(from: bytes)
            note = memory
            noteNumber = before
        }
        seen = block.lastSequence
        records = block.makeIterator()
    }

    mutating func next() -> UnsafeRawBufferPointer? {
        if let noteNumber, let note {
            number = noteNumber
            self.noteNumber = nil
            return UnsafeRawBufferPointer(note)
        }
        guard let record = records?.next() else { return nil }
        number = record.sequence
        if record.flag == SpoolOutlet.note { gaps.add(1, through: number) }
        return record.bytes
    }

    mutating func close() {}

    mutating func acknowledge(through number: UInt64) throws(LogTransportError) {
        guard number > acknowledged, isIdle || number - acknowledged >= Self.group else { return }
        do { try spool.acknowledge(through: number) } catch { throw SpoolOutlet.failure(error) }
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
        report.droppedOldest += counts.droppedOldest
    }
}
