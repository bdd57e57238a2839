internal import Glibc

/// The lines of a descriptor, standard input as a rule.
struct StdinSource: LineSource, ~Copyable {
    /// How long a source that is to close goes on reading from a writer that does not stop.
    static let patience = Duration.seconds(1)

    private var reader: LineReader
    private var envelope: JSONEnvelope?
    private var confirmations: Confirmations?
    private var closing: Closing?

    private struct Closing {
        /// Up to which byte of the input the pipe had it when the relay was asked to end.
        var owed: UInt64
        /// When to stop reading what came later.
        var patienceEnds: ContinuousClock.Instant
    }

    private(set) var number: UInt64 = 0
    private(set) var failure: LogTransportError?
    private var state = SourceOutlook.open
    /// Whether what is not read now is gone: a pipe, a socket or a terminal.
    private let isStream: Bool

    init(
        descriptor: Int32, maximumLine: Int, form: LineForm, confirmations: Confirmations?
    ) throws(LogTransportError) {
        reader = try LineReader(
            descriptor: descriptor, maximumLength: maximumLine, keepsNewline: form.keepsNewline)
        if let envelope = form.envelope { self.envelope = envelope.make() } else { self.envelope = nil }
        self.confirmations = confirmations
        var status = stat()
        isStream = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
        if !isStream { state = .draining }
    }

    /// Tells who waits for confirmations that the relay is ready.
    mutating func begin() throws(LogTransportError) { try confirmations?.begin() }

    func waits(forLines: Bool) -> [Wait] {
        if forLines { return [Wait(.descriptor(reader.descriptor), .input)] }
        // That the writer has closed a pipe is told without being asked for (poll(2), POLLHUP), again and again.
        return state == .open ? [Wait(.descriptor(reader.descriptor), [])] : []
    }

    var outlook: SourceOutlook {
        mutating get {
            if state == .open && Wait.isHungUp(reader.descriptor) { state = .draining }
            return state
        }
    }

    mutating func read() throws(LogTransportError) -> LineReader.Outcome {
        if let closing, reader.bytesRead >= closing.owed, .now >= closing.patienceEnds { return reader.finish() }
        let outcome: LineReader.Outcome
        do {
            outcome = try reader.read()
        } catch {
            failure = error
            outcome = reader.finish()
        }
        if closing != nil && outcome == .nothingYet { return reader.finish() }
        if outcome == .end { state = .closing }
        return outcome
    }

    @inline(__always) mutating func next() -> UnsafeRawBufferPointer? {
        guard let line = reader.next() else { return nil }
        number += 1
        return line
    }

    @inline(__always) mutating func offer(
        _ line: UnsafeRawBufferPointer, to outlet: any Outlet
    ) throws(LogTransportError) -> Bool {
        if let isTaken = try envelope?.offer(line, number: number, to: outlet) { return isTaken }
        return try outlet.offer(line, number: number)
    }

    mutating func close() {
        state = .closing
        var held: Int32 = 0
        if isStream && ioctl(reader.descriptor, UInt(FIONREAD), &held) != 0 { held = 0 }
        // What has not been read of a file is not lost, so nothing more of it is owed.
        closing = Closing(
            owed: reader.bytesRead + UInt64(max(held, 0)), patienceEnds: .now + (isStream ? Self.patience : .zero))
    }

    mutating func acknowledge(through number: UInt64) throws(LogTransportError) {
        try confirmations?.confirm(through: number, of: self.number)
    }

    var nextDeadline: ContinuousClock.Instant? { confirmations?.nextSign }

    mutating func lines(through number: UInt64) -> UInt64 { number }

    mutating func abandon(isHolding: Bool) throws(LogTransportError) -> UInt64 {
        closing?.patienceEnds = .now
        var left: UInt64 = isHolding ? 1 : 0
        repeat {
            while reader.next() != nil {
                number += 1
                left += 1
            }
        } while try read() == .lines
        return left
    }

    func count(into report: inout RelayReport) {
        report.linesIn = number
        report.bytesIn = reader.bytesRead
        report.linesCut = reader.cutLines
    }
}
