internal import ZeroMQ

/// Lines of a sender of the reliable protocol, in the order in which they are to be processed.
package final class ReliableBatch: Sendable {
    /// The session that it came in.
    let session: ReceiverMachine.SessionKey
    let header: WireMessage.BatchHeader
    private let body: Message

    /// How many lines there are, those that are to be passed over included.
    package let count: Int

    /// Checks the second frame of a message.
    ///
    /// - Parameters:
    ///   - session: The session that it came in.
    ///   - header: What stood before it.
    ///   - body: The frame.
    /// - Throws: ``LogTransportError`` with code `protocolViolation` when it is no batch.
    init(
        session: ReceiverMachine.SessionKey, header: WireMessage.BatchHeader, body: consuming Message
    ) throws(LogTransportError) {
        count = try body.withUnsafeBytes { (bytes) throws(LogTransportError) in try Batch(bytes).count }
        self.session = session
        self.header = header
        self.body = body
    }

    /// The size of the frame, in bytes.
    var size: Int { body.count }

    /// Who sent the lines.
    package var sender: SenderID { header.sender }
    /// How many lines at the beginning were acknowledged before, and are to be passed over.
    package var skip: Int { Int(header.skip) }
    /// Whether a receiver may have had them before.
    package var isRedelivered: Bool { header.isRedelivered }

    /// Gives the lines that are to be processed to `body`, with their numbers; the bytes are not to be used after it.
    ///
    /// - Parameters:
    ///   - start: How many lines of the batch to pass over; not less than ``skip`` are.
    ///   - body: Takes a line; returns whether it wants the next one.
    /// - Returns: How many lines of the batch have been passed over or given.
    /// - Throws: What `body` throws.
    @discardableResult
    package func forEachLine<Failure: Error>(
        from start: Int = 0, _ body: (UnsafeRawBufferPointer, UInt64) throws(Failure) -> Bool
    ) throws(Failure) -> Int {
        try self.body.withUnsafeBytes { (bytes) throws(Failure) in
            // It was checked when it came.
            guard var batch = try? Batch(bytes) else { return count }
            var done = 0
            while let line = batch.next() {
                done += 1
                if done > max(start, skip) {
                    guard try body(line, header.first &+ UInt64(done - 1)) else { break }
                }
            }
            return done
        }
    }
}
