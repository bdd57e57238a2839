/// Hands lines on from a source to an outlet, on the thread that runs it, until the source ends or the control says so.
///
/// It waits in one place, on all that can bring work at once: the source while there is room for lines, the outlet, and
/// the control. A line that finds no room is held, and nothing more is read: that is what bounds memory, and what makes
/// the writer on the other side of a pipe wait.
struct RelayLoop<Source: LineSource & ~Copyable>: ~Copyable {
    private var source: Source
    private let outlet: any Outlet
    private let control: RelayControl
    private let linger: Duration
    private let meter: RelayMeter
    /// The line that found no room.
    private var held: UnsafeRawBufferPointer?
    /// When to give up, once nothing new comes.
    private var deadline: ContinuousClock.Instant?
    /// The outlet's progress when that was decided.
    private var progress: UInt64 = 0
    private var hasClosed = false

    /// Makes a loop; all that it is given is its own until ``run()`` returns.
    init(
        from source: consuming Source, to outlet: any Outlet, under control: RelayControl, linger: Duration,
        meter: RelayMeter
    ) {
        self.source = source
        self.outlet = outlet
        self.control = control
        self.linger = linger
        self.meter = meter
    }

    /// Relays to the end, and closes the outlet.
    ///
    /// - Returns: How many lines were taken from the source and did not leave.
    /// - Throws: What the source or the outlet threw.
    mutating func run() throws(LogTransportError) -> UInt64 {
        while !control.isEnding {
            let hasRoom = try handOn()
            try outlet.advance()
            try settle()
            noteClosing(hasRoom: hasRoom)
            if let deadline, .now >= deadline { break }
            if hasRoom {
                let outcome = try source.read()
                if outcome == .end { break }
                if outcome == .lines { continue }
                try outlet.flush()
                try settle()
            }
            try wait(forRoom: !hasRoom)
        }
        return try finish()
    }

    /// Offers the line that is held and those after it.
    ///
    /// - Returns: Whether all were taken.
    private mutating func handOn() throws(LogTransportError) -> Bool {
        if let held {
            guard try source.offer(held, to: outlet) else { return false }
            self.held = nil
        }
        while let line = source.next() {
            guard try source.offer(line, to: outlet) else {
                held = line
                return false
            }
        }
        return true
    }

    /// Tells the source what has left, and the meter how things stand.
    private mutating func settle() throws(LogTransportError) {
        let acknowledged = outlet.acknowledged
        try source.acknowledge(through: acknowledged)
        let linesOut = source.lines(through: acknowledged)
        let counts = outlet.counts
        meter.update { report in
            counts.report(in: &report, lines: linesOut)
            source.count(into: &report)
        }
    }

    /// Lets the linger begin when the input has ended or the relay was asked to end, whichever is first.
    private mutating func noteClosing(hasRoom: Bool) {
        if control.isStopping && !hasClosed {
            hasClosed = true
            source.close()
        }
        switch hasClosed ? .closing : source.outlook {
        case .open: break
        case .draining where hasRoom: deadline = nil
        case .draining where outlet.progress != progress:
            progress = outlet.progress
            deadline = .now + linger
        case .draining, .closing: if deadline == nil { deadline = .now + linger }
        }
    }

    private func wait(forRoom: Bool) throws(LogTransportError) {
        var waits = outlet.waits(forRoom: forRoom)
        waits.append(Wait(.descriptor(control.ending.descriptor), .input))
        if !hasClosed { waits.append(Wait(.descriptor(control.stopping.descriptor), .input)) }
        waits += source.waits(forLines: !forRoom)
        let deadlines = [deadline, outlet.nextDeadline, source.nextDeadline]
        try Wait.any(of: waits, until: deadlines.compactMap(\.self).min())
    }

    /// Gives the outlet its last chance, and counts what is left over.
    private mutating func finish() throws(LogTransportError) -> UInt64 {
        if !hasClosed { source.close() }
        var left = try source.abandon(isHolding: held != nil)
        held = nil
        let deadline = control.isEnding ? .now : self.deadline ?? .now + linger
        left += try outlet.finish(until: deadline, end: control.ending.descriptor)
        try settle()
        if let failure = source.failure { throw failure }
        return left
    }
}
