/// An outlet that takes every line, and drops lines when it has no room for them in its queue.
///
/// Where lines are missing it hands on a note that says how many.
final class DroppingOutlet: Outlet {
    private let inner: any Outlet
    private let dropsOldest: Bool
    private let form: LineForm
    private var queue: RecordRing
    /// What is missing before the first line in the queue.
    private var gapInFront = Gap()
    /// What is missing behind the last.
    private var gapBehind = Gap()
    private var missing = GapLedger()
    private var droppedOldest: UInt64 = 0
    private var droppedNewest: UInt64 = 0

    /// Lines that are missing in one place.
    private struct Gap {
        var count: UInt64 = 0
        /// The number of the last.
        var number: UInt64 = 0
    }

    /// The kind of a record that is a note: its bytes are the count of missing lines.
    private static let note: UInt32 = 1

    /// Makes the outlet.
    ///
    /// - Parameters:
    ///   - inner: Where lines go to.
    ///   - dropsOldest: Whether the lines that have waited longest make room, rather than new ones being dropped.
    ///   - limit: How many bytes wait at most.
    ///   - form: What lines look like, for the notes between them.
    init(_ inner: any Outlet, dropsOldest: Bool, limit: Int, form: LineForm) {
        self.inner = inner
        self.dropsOldest = dropsOldest
        self.form = form
        queue = RecordRing(capacity: limit)
    }

    private var isEmpty: Bool { queue.isEmpty && gapInFront.count == 0 && gapBehind.count == 0 }

    func offer(_ line: UnsafeRawBufferPointer, number: UInt64) throws(LogTransportError) -> Bool {
        if isEmpty, try inner.offer(line, number: number) { return true }
        queueOrDrop(line.count, number: number) { target in
            if let source = line.baseAddress { target.copyMemory(from: source, byteCount: line.count) }
        }
        return true
    }

    func offer(
        _ line: UnsafeRawBufferPointer, in envelope: inout JSONEnvelope, number: UInt64
    ) throws(LogTransportError) -> Bool {
        if isEmpty, try inner.offer(line, in: &envelope, number: number) { return true }
        let size = envelope.size(of: line)
        if queue.canHold(size) {
            queueOrDrop(size, number: number) { envelope.write(line, to: $0) }
        } else {
            drop(number)
        }
        return true
    }

    /// Has a line written at the end of the queue if there is room for it or room can be made.
    private func queueOrDrop(_ count: Int, number: UInt64, _ write: (UnsafeMutableRawPointer) -> Void) {
        if enqueue(count, number: number, write) { return }
        while dropsOldest, let oldest = queue.first {
            dropOldest(oldest)
            if enqueue(count, number: number, write) { return }
        }
        drop(number)
    }

    private func drop(_ number: UInt64) {
        gapBehind.count += 1
        gapBehind.number = number
        droppedNewest += 1
    }

    /// Has a line written at the end of the queue, behind a note if lines are missing there.
    private func enqueue(_ count: Int, number: UInt64, _ write: (UnsafeMutableRawPointer) -> Void) -> Bool {
        if gapBehind.count > 0 {
            let isNoted = withUnsafeBytes(of: gapBehind.count) {
                queue.append($0, number: gapBehind.number, kind: Self.note)
            }
            guard isNoted else { return false }
            gapBehind.count = 0
        }
        return queue.append(count: count, number: number, write)
    }

    private func dropOldest(_ record: RecordRing.Record) {
        if record.kind == Self.note {
            // Its lines have been counted as dropped.
            gapInFront.count += record.bytes.loadUnaligned(as: UInt64.self)
        } else {
            gapInFront.count += 1
            droppedOldest += 1
        }
        gapInFront.number = record.number
        queue.removeFirst()
    }

    /// Hands on what waits, as far as there is room.
    private func drain() throws(LogTransportError) {
        guard try close(&gapInFront) else { return }
        while let record = queue.first {
            if record.kind == Self.note {
                gapInFront = Gap(count: record.bytes.loadUnaligned(as: UInt64.self), number: record.number)
                queue.removeFirst()
                guard try close(&gapInFront) else { return }
            } else {
                guard try inner.offer(record.bytes, number: record.number) else { return }
                queue.removeFirst()
            }
        }
        _ = try close(&gapBehind)
    }

    /// Hands on the note about a gap, if there is one.
    private func close(_ gap: inout Gap) throws(LogTransportError) -> Bool {
        guard gap.count > 0 else { return true }
        let note = form.bytes(of: DropNote(count: gap.count, reason: .noRoom))
        guard try inner.offer(note, number: gap.number) else { return false }
        missing.add(gap.count, through: gap.number)
        gap.count = 0
        return true
    }

    func flush() throws(LogTransportError) {
        if isEmpty { try inner.flush() }
    }

    func advance() throws(LogTransportError) {
        try inner.advance()
        if !isEmpty { try drain() }
    }

    func waits(forRoom: Bool) -> [Wait] { inner.waits(forRoom: forRoom || !isEmpty) }

    var nextDeadline: ContinuousClock.Instant? { inner.nextDeadline }

    var acknowledged: UInt64 { inner.acknowledged }

    var counts: OutletCounts {
        var counts = inner.counts
        counts.droppedOldest += droppedOldest
        counts.droppedNewest += droppedNewest
        counts.missing += missing.missing(through: inner.acknowledged)
        return counts
    }

    func finish(until deadline: ContinuousClock.Instant, end: Int32) throws(LogTransportError) -> UInt64 {
        while !isEmpty {
            try advance()
            if isEmpty || .now >= deadline || Wait.isReadable(end) { break }
            try Wait.any(
                of: waits(forRoom: true) + [Wait(.descriptor(end), .input)],
                until: [deadline, inner.nextDeadline].compactMap(\.self).min())
        }
        var left: UInt64 = 0
        while let record = queue.first {
            if record.kind != Self.note { left += 1 }
            queue.removeFirst()
        }
        return try left + inner.finish(until: deadline, end: end)
    }
}

extension Outlet {
    /// Hands on bytes that are not in a buffer of the input.
    func offer(_ bytes: [UInt8], number: UInt64) throws(LogTransportError) -> Bool {
        let result = bytes.withUnsafeBytes { bytes in
            Result<Bool, LogTransportError> { () throws(LogTransportError) in try offer(bytes, number: number) }
        }
        return try result.get()
    }
}

extension RelayOptions {
    /// An outlet that treats lines as these options say where it has no room.
    func outlet(around outlet: any Outlet, form: LineForm) -> any Outlet {
        if whenFull == .block { return outlet }
        return DroppingOutlet(outlet, dropsOldest: whenFull == .dropOldest, limit: queueLimit, form: form)
    }
}
