internal import Glibc

/// What rsyslog's omprog wants to read with `confirmMessages`: `OK` once at the start, then once for each line.
///
/// While a line is not safe yet, a dot now and then tells rsyslog that this process is alive.
struct Confirmations {
    /// How often there is a dot; rsyslog waits for 10 s by default.
    static let interval = Duration.seconds(3)

    private let descriptor: Int32
    private let control: RelayControl
    private var confirmed: UInt64 = 0
    /// When the next dot is due; nil while every line is confirmed.
    private(set) var nextSign: ContinuousClock.Instant?

    init(on descriptor: Int32, under control: RelayControl) {
        self.descriptor = descriptor
        self.control = control
    }

    /// Says that the relay is ready.
    func begin() throws(LogTransportError) { try write("OK\n", times: 1) }

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

    /// Writes a text again and again, waiting while the reader is slow, until the relay is to end at once.
    private func write(_ text: StaticString, times: Int) throws(LogTransportError) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(times * text.utf8CodeUnitCount)
        let word = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        for _ in 0..<times { bytes += word }
        var rest = bytes[...]
        while !rest.isEmpty && !control.isEnding {
            try Wait.any(of: [
                Wait(.descriptor(descriptor), .output), Wait(.descriptor(control.ending.descriptor), .input),
            ])
            // A pipe takes up to PIPE_BUF bytes without waiting when poll(2) says that it can be written to.
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
}
