internal import Glibc

/// What rsyslog's omprog wants to read with `confirmMessages`: `OK` once at the start, then once for each line.
///
/// While a line is not safe yet, a dot now and then tells rsyslog that this process is alive.
struct Confirmations {
    /// How often there is a dot; rsyslog waits for 10 s by default.
    static let interval = Duration.seconds(3)

    private let descriptor: Int32
    private let control: RelayControl
    private let linger: Duration
    /// Until when the reader may take its time, once the relay is asked to end.
    private var deadline: ContinuousClock.Instant?
    private var hasGivenUp = false
    private var confirmed: UInt64 = 0
    /// When the next dot is due; nil while every line is confirmed.
    private(set) var nextSign: ContinuousClock.Instant?

    /// Makes confirmations on a descriptor.
    ///
    /// - Parameters:
    ///   - descriptor: Where they are written.
    ///   - control: The relay's.
    ///   - linger: How long a reader that does not read is waited for once the relay is asked to end.
    init(on descriptor: Int32, under control: RelayControl, linger: Duration) {
        self.descriptor = descriptor
        self.control = control
        self.linger = linger
    }

    /// Says that the relay is ready.
    mutating func begin() throws(LogTransportError) { try write("OK\n", times: 1) }

    /// Confirms lines that are safe.
    ///
    /// - Parameters:
    ///   - number: The number of the last of them.
    ///   - given: How many lines came in.
    /// - Throws: ``LogTransportError`` when standard output cannot be written to.
    mutating func confirm(through number: UInt64, of given: UInt64) throws(LogTransportError) {
        if number > confirmed {
            try write("OK\n", times: Int(number - confirmed))
            confirmed = number
            nextSign = nil
        }
        guard given > confirmed else { return }
        if let nextSign, .now < nextSign { return }
        if nextSign != nil { try write(".", times: 1) }
        nextSign = .now + Self.interval
    }

    /// Writes a text again and again, waiting while the reader is slow, until that has had its time.
    private mutating func write(_ text: StaticString, times: Int) throws(LogTransportError) {
        guard !hasGivenUp else { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(times * text.utf8CodeUnitCount)
        let word = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        for _ in 0..<times { bytes += word }
        var rest = bytes[...]
        while !rest.isEmpty {
            // A pipe takes up to PIPE_BUF bytes without waiting when poll(2) says that it can be written to; when it does
            // not, a write would wait for its reader, whatever the relay is asked.
            guard Wait.isWritable(descriptor) else {
                guard try waitForReader() else { return }
                continue
            }
            let count = rest.prefix(Int(PIPE_BUF)).withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE {
                // Nobody reads confirmations any more; the end of the input follows.
                return
            } else if errno != EINTR && errno != EAGAIN {
                let reason = String(cString: strerror(errno))
                throw LogTransportError(.systemError, "cannot confirm lines on standard output: \(reason)")
            }
        }
    }

    /// Waits until the reader may have read, or something is asked of the relay.
    ///
    /// - Returns: False when there is no more time. What is not confirmed, the sender has still.
    private mutating func waitForReader() throws(LogTransportError) -> Bool {
        if control.isStopping && deadline == nil { deadline = .now + linger }
        if let deadline, control.isEnding || .now >= deadline {
            hasGivenUp = true
            return false
        }
        var waits = [
            Wait(.descriptor(descriptor), .output), Wait(.descriptor(control.ending.descriptor), .input),
        ]
        if deadline == nil { waits.append(Wait(.descriptor(control.stopping.descriptor), .input)) }
        try Wait.any(of: waits, until: deadline)
        return true
    }
}
