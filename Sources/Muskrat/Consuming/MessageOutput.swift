internal import CivilTime
internal import CommandKit
internal import DedicatedThread
internal import MessageLog

/// Standard output, written by a thread of its own, which may wait for as long as nobody reads.
actor MessageOutput {
    /// What became of messages that were to be written.
    enum Outcome: Sendable {
        case written
        /// Nobody reads any more; so many messages were written whole.
        case readerGone(written: Int)
    }

    private let thread = DedicatedThread(name: "output")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private var buffer: [UInt8] = []
    private var ends: [Int] = []

    /// How much is gathered for a write.
    private static let enough = 256 << 10

    /// Writes messages, each with a line feed behind it.
    ///
    /// - Throws: `CommandError` with exit code 74 when the disk is full, say.
    func write(_ messages: [Message], as text: MessageText) throws(CommandError) -> Outcome {
        var written = 0
        for message in messages {
            text.append(message, to: &buffer)
            ends.append(buffer.count)
            guard buffer.count >= Self.enough else { continue }
            let count = ends.count
            if let some = try flush() { return .readerGone(written: written + some) }
            written += count
        }
        if let some = try flush() { return .readerGone(written: written + some) }
        return .written
    }

    /// Writes messages as one list in one line.
    ///
    /// - Throws: `CommandError`, as the other `write` does.
    func write(listOf messages: [Message], times format: TimeFormat?) throws(CommandError) -> Outcome {
        MessageText.append(listOf: messages, times: format, to: &buffer)
        ends.append(buffer.count)
        return try flush() == nil ? .written : .readerGone(written: 0)
    }

    /// Writes what is gathered.
    ///
    /// - Returns: nil when all is written; how many messages were when nobody reads any more.
    private func flush() throws(CommandError) -> Int? {
        defer {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 4 << 20)
            ends.removeAll(keepingCapacity: true)
        }
        let written = try StandardOutput.write(buffer)
        return written == buffer.count ? nil : ends.count { $0 <= written }
    }
}
