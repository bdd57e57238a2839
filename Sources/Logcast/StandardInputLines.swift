import CommandKit
import DedicatedThread
import Glibc
import LogBroadcast
import LogTransport

/// The lines of standard input as text, read on a thread of its own; what is not UTF-8 is repaired.
actor StandardInputLines {
    /// The beginning of a line that is too long, until all of it was read.
    private struct LongLine {
        let beginning: [UInt8]
        /// What the reader had left out of the lines before.
        let cutBytes: UInt64
    }

    private let thread = DedicatedThread(name: "input")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
    private let limit: Int
    private var reader: LineReader
    private var longLine: LongLine?
    /// The bytes of the input that are those of the lines before `longLine`, with line feeds and what was left out.
    private var accounted: UInt64 = 0

    /// Looks at standard input.
    ///
    /// - Parameter limit: The most bytes of a line; it is more than the reader takes at once, 128 KiB.
    /// - Throws: `CommandError` when it cannot be read.
    init(limit: Int) throws(CommandError) {
        self.limit = limit
        do throws(LogTransportError) {
            reader = try LineReader(maximumLength: limit)
        } catch {
            throw CommandError(.inputOutput, error.description, cause: error)
        }
    }

    /// Waits for lines.
    ///
    /// - Returns: At least one line, cut where it is too long; nil at the end of the input.
    func next() throws(CommandError) -> [CutText]? {
        do throws(LogTransportError) {
            while true {
                switch try reader.read() {
                case .end:
                    return finishedLongLine().map { [$0] }
                case .nothingYet:
                    var wait = pollfd(fd: reader.descriptor, events: Int16(POLLIN), revents: 0)
                    _ = poll(&wait, 1, -1)
                case .lines:
                    let lines = takeLines()
                    if !lines.isEmpty { return lines }
                }
            }
        } catch {
            throw CommandError(.inputOutput, error.description, cause: error)
        }
    }

    /// The lines that were read in whole.
    private func takeLines() -> [CutText] {
        var lines: [CutText] = []
        while true {
            let (cutLines, cutBytes) = (reader.cutLines, reader.cutBytes)
            guard let line = reader.next() else { break }
            // This one comes from the block that ended the long one, and is too short to be cut as well.
            if let long = finishedLongLine() { lines.append(long) }
            if reader.cutLines > cutLines {
                longLine = LongLine(beginning: Array(line), cutBytes: cutBytes)
            } else {
                accounted += UInt64(line.count) + 1
                lines.append(CutText(String(decoding: line, as: UTF8.self), to: limit))
            }
        }
        // When there is more than the long line, its line feed was read.
        if let long = longLine, reader.bytesRead > accounted + length(of: long), let line = finishedLongLine() {
            lines.append(line)
        }
        return lines
    }

    /// The long line, when there is one and all of it was read.
    private func finishedLongLine() -> CutText? {
        guard let line = longLine.take() else { return nil }
        accounted += length(of: line) + 1
        return CutText(
            String(decoding: line.beginning, as: UTF8.self), to: limit, missing: Int(reader.cutBytes - line.cutBytes))
    }

    /// The bytes of a long line that were read so far.
    private func length(of line: LongLine) -> UInt64 {
        UInt64(line.beginning.count) + reader.cutBytes - line.cutBytes
    }
}
