internal import DedicatedThread
package import Logging
package import LogTransport
internal import Synchronization

/// Writes what a receiver got, on a thread of its own, so that a reader that does not read holds up nothing else.
package actor MessageWriter {
    private let thread = DedicatedThread(name: "output")
    private let stop: StopRequest
    private let logger: Logger
    private let showsIDs: Bool
    private var output: LineOutput
    private nonisolated let written = Atomic<UInt64>(0)

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// How many messages are written.
    package nonisolated var count: UInt64 { written.load(ordering: .relaxed) }

    /// Writes to a target.
    ///
    /// - Parameters:
    ///   - target: Where to.
    ///   - showsIDs: Whether a line begins with the message's id and a tab.
    ///   - stop: What ends a wait for the other side.
    ///   - logger: Where it is said that the disk is full.
    package init(to target: consuming OutputTarget, showsIDs: Bool, stop: StopRequest, logger: Logger) {
        output = LineOutput(target, logger: logger)
        self.showsIDs = showsIDs
        self.stop = stop
        self.logger = logger
    }

    /// Writes the lines of a batch.
    ///
    /// - Parameters:
    ///   - batch: The batch.
    ///   - limit: How many lines to write at most; nil for all.
    /// - Returns: How many lines of the batch are done with, for the receiver's acknowledgement.
    /// - Throws: ``LineOutputError`` when lines are left over.
    package func write(_ batch: ReceivedBatch, atMost limit: UInt64?) throws(LineOutputError) -> Int {
        let done: Int
        switch batch {
        case .reliable(let batch) where showsIDs:
            done = batch.forEachLine(from: 0) { line, number in
                add("\(MessageID(sender: batch.sender, number: number))\t", line, limit)
            }
        default:
            done = batch.forEachLine { line in add("", line, limit) }
        }
        let count = UInt64(output.waiting)
        do throws(LineOutputError) {
            try output.flush(until: stop)
        } catch {
            written.add(count - min(count, UInt64(error.unwritten)), ordering: .relaxed)
            throw error
        }
        written.add(count, ordering: .relaxed)
        return done
    }

    /// Opens the output file again, after it was moved away.
    package func reopen() {
        do throws(LineOutputError) {
            try output.reopen()
        } catch {
            logger.error("\(error); messages go on to the file that was open")
        }
    }

    /// Whether a line more is wanted after this one.
    private func add(_ prefix: String, _ line: UnsafeRawBufferPointer, _ limit: UInt64?) -> Bool {
        output.add(prefix: prefix, line)
        return limit.map { UInt64(output.waiting) < $0 } ?? true
    }
}
