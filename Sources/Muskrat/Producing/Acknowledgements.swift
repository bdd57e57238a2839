internal import CommandKit
internal import DedicatedThread
internal import MessageLog
internal import Synchronization

/// Says on standard output how many lines are safe, for a program that gives lines and keeps them until then.
///
/// A thread of its own writes, which may wait for as long as nobody reads; what has come meanwhile is said with one number
/// then.
actor Acknowledgements {
    private let thread = DedicatedThread(name: "output")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private struct Safe {
        /// The number of the last line that is safe, with all before it.
        var line: UInt64 = 0
        var hasGap = false
        /// Whether ``say()`` is to be called and was not yet.
        var isScheduled = false
    }

    private let safe = Mutex(Safe())
    private var said: UInt64 = 0
    /// Whether nobody reads any more, or writing failed.
    private var isOver = false
    /// Why writing failed.
    private(set) var failure: CommandError?

    /// Takes in what became of messages, in their order; it does not wait.
    nonisolated func note(_ batch: BatchReport) {
        let isToBeSaid = safe.withLock { safe in
            // Behind lines that a broker lacks none is acknowledged: one number tells of all before it.
            safe.hasGap = safe.hasGap || !batch.isComplete
            if !safe.hasGap { safe.line = batch.numbers.upperBound }
            // While nobody reads, one call waits, however many batches come.
            guard !safe.hasGap, !safe.isScheduled else { return false }
            safe.isScheduled = true
            return true
        }
        if isToBeSaid { Task { await say() } }
    }

    /// Says how many lines are safe, unless that was said.
    func say() {
        let line = safe.withLock { safe in
            safe.isScheduled = false
            return safe.line
        }
        guard line > said, !isOver else { return }
        let text = Array("\(line)\n".utf8)
        do throws(CommandError) {
            isOver = try StandardOutput.write(text) < text.count
            said = line
        } catch {
            isOver = true
            failure = error
        }
    }
}
