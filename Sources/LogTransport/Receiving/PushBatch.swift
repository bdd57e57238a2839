internal import ZeroMQ

/// Lines that PUSH sockets sent, in the order in which they came.
package struct PushBatch: Sendable {
    /// The bytes after which no more is added.
    static let enough = 256 << 10
    /// The lines after which no more is added.
    static let enoughLines = 4096

    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// How many lines there are.
    package var count: Int { ends.count }
    var isEmpty: Bool { ends.isEmpty }
    var isEnough: Bool { bytes.count >= Self.enough || ends.count >= Self.enoughLines }

    init() {
        bytes.reserveCapacity(Self.enough)
    }

    /// Adds what a frame holds: one line, or the lines of a batch.
    ///
    /// - Parameter frame: The frame.
    /// - Throws: ``LogTransportError`` with code `protocolViolation` when it is a damaged batch; nothing is added then.
    mutating func add(_ frame: borrowing Message) throws(LogTransportError) {
        try frame.withUnsafeBytes { (frame) throws(LogTransportError) in
            guard BatchFraming.isBatch(frame) else { return append(frame) }
            var batch = try Batch(frame)
            while let line = batch.next() { append(line) }
        }
    }

    private mutating func append(_ line: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: line)
        ends.append(bytes.count)
    }

    /// Gives the lines after the first `start` to `body`; how many have been passed over or given.
    package func forEachLine<Failure: Error>(
        from start: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Bool
    ) throws(Failure) -> Int {
        let span = bytes.span
        return try span.withUnsafeBytes { (bytes) throws(Failure) in
            for index in ends.indices.dropFirst(start) {
                let first = index == 0 ? 0 : ends[index - 1]
                let line = UnsafeRawBufferPointer(rebasing: bytes[first..<ends[index]])
                guard try body(line) else { return index + 1 }
            }
            return ends.count
        }
    }
}
