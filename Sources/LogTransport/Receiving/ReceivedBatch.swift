/// Lines that came together, whichever way they were delivered.
package enum ReceivedBatch: Sendable {
    case pushed(PushBatch)
    case reliable(ReliableBatch)

    /// How many lines there are, those included that are to be passed over.
    package var count: Int {
        switch self {
        case .pushed(let batch): batch.count
        case .reliable(let batch): batch.count
        }
    }

    /// Gives the lines to `body`; the bytes are not to be used after it.
    ///
    /// - Parameters:
    ///   - start: How many lines to pass over.
    ///   - body: Takes a line; returns whether it wants the next one.
    /// - Returns: How many lines have been passed over or given.
    /// - Throws: What `body` throws.
    @discardableResult
    package func forEachLine<Failure: Error>(
        from start: Int = 0, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Bool
    ) throws(Failure) -> Int {
        switch self {
        case .pushed(let batch): try batch.forEachLine(from: start, body)
        case .reliable(let batch):
            try batch.forEachLine(from: start) { (line, _) throws(Failure) in try body(line) }
        }
    }

    /// The line after the first `start`, and how many have been passed over or given with it; nil when none is left.
    func message(after start: Int) -> (message: LogMessage, done: Int)? {
        var message: LogMessage?
        let done: Int
        switch self {
        case .pushed(let batch):
            done = batch.forEachLine(from: start) { line in
                message = LogMessage(bytes: Array(line), id: nil, isRedelivered: false)
                return false
            }
        case .reliable(let batch):
            done = batch.forEachLine(from: start) { line, number in
                message = LogMessage(
                    bytes: Array(line), id: MessageID(sender: batch.sender, number: number),
                    isRedelivered: batch.isRedelivered)
                return false
            }
        }
        return message.map { ($0, done) }
    }
}
