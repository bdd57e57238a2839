internal import ZeroMQ

/// Lines of a sender of the reliable protocol, in the order in which they are to be processed.
package final class ReliableBatch: Sendable {
    /// The session that it came in.
    let session: ReceiverMachine.SessionKey
    let header: WireMessage.BatchHeader
    private let body: Message
    /// Where each line is in the frame; a list of lines is walked once only.
    private let places: [Range<Int>]

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
        places = try body.withUnsafeBytes { (bytes) throws(LogTransportError) in
            var batch = try Batch(bytes)
            var places: [Range<Int>] = []
            places.reserveCapacity(batch.count)
            var end = BatchFraming.overheadPerBatch
            while let line = batch.next() {
                let start = end + BatchFraming.overheadPerLine
                end = start + line.count
                places.append(start..<end)
            }
            return places
        }
        self.session = session
        self.header = header
        self.body = body
    }

    /// How many lines there are, those that are to be passed over included.
    package var count: Int { places.count }

    /// The size of the frame, in bytes.
    var size: Int { body.count }

    /// About what it takes of memory, in bytes: one without a line takes some, too.
    var memory: Int { size + places.count * MemoryLayout<Range<Int>>.stride + 512 }

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
            var done = min(max(start, skip), count)
            while done < count {
                let line = UnsafeRawBufferPointer(rebasing: bytes[places[done]])
                done += 1
                guard try body(line, header.first &+ UInt64(done - 1)) else { break }
            }
            return done
        }
    }
}
