internal import CivilTime
internal import CommandKit
internal import DedicatedThread
internal import Glibc
internal import LogTransport
internal import MessageLog

/// The lines of standard input, gathered into batches, on a thread of their own.
///
/// A batch is given when it is large enough, when the time for gathering is over, and at the end of the input. While the
/// one before is on its way the next is gathered, and then reading waits.
actor LineBatches {
    private let thread = DedicatedThread(name: "input")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private var reader: LineReader
    private let limits: Limits
    private nonisolated let stopPipe = StopPipe()
    private var isAtEnd = false
    /// Whether the block was read that is the last after a signal.
    private var isEnding = false
    /// Whether the input was read to its end, rather than ended here.
    private(set) var isWhole = false
    /// Whether the last block may still have lines.
    private var hasLines = false

    /// How large a batch becomes.
    struct Limits: Sendable {
        var bytes: Int
        var count: Int
        var interval: Duration
    }

    /// Looks at standard input.
    ///
    /// - Throws: `CommandError` when it cannot be read.
    init(_ limits: Limits) throws(CommandError) {
        self.limits = limits
        do throws(LogTransportError) {
            reader = try LineReader(maximumLength: Message.maximumBody)
        } catch {
            throw CommandError(.inputOutput, error.description, cause: error)
        }
    }

    /// Ends the input here; from any thread.
    nonisolated func stop() { stopPipe.stop() }

    /// Whether it was asked to end the input.
    nonisolated var isStopping: Bool { stopPipe.isStopping }

    /// Lines that were longer than a message can be, and are cut.
    var cutLines: UInt64 { reader.cutLines }

    /// Waits for lines.
    ///
    /// - Returns: At least one; nil at the end of the input.
    /// - Throws: `CommandError` when the input cannot be read.
    func next() throws(CommandError) -> MessageBatch? {
        guard !isAtEnd else { return nil }
        var batch = MessageBatch()
        batch.reserveCapacity(limits.bytes + 256 << 10)
        var deadline: ContinuousClock.Instant?
        while true {
            if hasLines, fill(&batch) { return batch }
            if !batch.isEmpty, deadline == nil { deadline = .now + limits.interval }
            // Looked at before each block, for an input may never pause. What came before the signal is a block at most.
            if stopPipe.isStopping {
                if isEnding, case .lines = reader.finish() {
                    hasLines = true
                    continue
                }
                isEnding = true
            }
            switch try read() {
            case .lines: hasLines = true
            case .end:
                isAtEnd = true
                isWhole = !stopPipe.isStopping
                return batch.isEmpty ? nil : batch
            case .nothingYet:
                if wait(until: deadline), !stopPipe.isStopping { return batch }
            }
        }
    }

    /// Takes lines of the last block.
    ///
    /// - Returns: Whether the batch is large enough; if not, the block is used up.
    private func fill(_ batch: inout MessageBatch) -> Bool {
        // One time for the lines of a block: the clock is not finer than they come.
        let now = UTCTime.now
        while let line = reader.next() {
            batch.append(line, at: now)
            if batch.records.count >= limits.bytes || batch.count >= limits.count { return true }
        }
        hasLines = false
        return false
    }

    private func read() throws(CommandError) -> LineReader.Outcome {
        do throws(LogTransportError) {
            return try reader.read()
        } catch {
            throw CommandError(.inputOutput, error.description, cause: error)
        }
    }

    /// Waits for input.
    ///
    /// - Returns: Whether the time is over.
    private func wait(until deadline: ContinuousClock.Instant?) -> Bool {
        var limit: Int32 = -1
        if let deadline {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return true }
            limit = Int32(min((left / .milliseconds(1)).rounded(.up), 60_000))
        }
        var items = [
            pollfd(fd: reader.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopPipe.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        return poll(&items, 2, limit) == 0
    }
}
