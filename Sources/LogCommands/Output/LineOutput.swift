internal import Glibc
package import Logging

/// Where `hayrack receive` writes messages, one a line: whole lines or none.
///
/// It gathers lines and writes many at a time. A write that the other side does not take waits for it or for the end of the
/// command, whichever comes first; the flags of the descriptor stay as they are, for others may share it. On a full disk it
/// waits for room. What cannot be written before the command ends is cut back to the last whole line.
package struct LineOutput: ~Copyable {
    private var target: OutputTarget
    private let logger: Logger
    private var buffer: [UInt8] = []
    /// Where each line of the buffer ends, behind its newline.
    private var ends: [Int] = []
    /// How much of the buffer is written.
    private var written = 0

    /// How many bytes are gathered before they are worth a write.
    private static let enough = 128 << 10
    /// How long the other side may take for the rest once the command is to end.
    private static let grace = Duration.seconds(5)
    /// How often a full disk is tried again.
    private static let diskInterval = Duration.seconds(1)

    /// Writes to a target.
    ///
    /// - Parameters:
    ///   - target: Where to.
    ///   - logger: Where it is said that the disk is full.
    package init(_ target: consuming OutputTarget, logger: Logger) {
        self.target = target
        self.logger = logger
    }

    /// Whether so much is gathered that it should be written.
    package var isFull: Bool { buffer.count >= Self.enough }
    /// How many lines are gathered and not written.
    package var waiting: Int { ends.count }

    /// Gathers a line.
    ///
    /// - Parameters:
    ///   - prefix: What stands before the message.
    ///   - message: The message; it gets a newline unless it ends with one. One within it becomes a backslash and an `n`, so
    ///     that no sender can write lines that look like another's.
    package mutating func add(prefix: String = "", _ message: UnsafeRawBufferPointer) {
        let newline = UInt8(ascii: "\n")
        buffer.append(contentsOf: prefix.utf8)
        var rest = message.last == newline ? UnsafeRawBufferPointer(rebasing: message.dropLast()) : message
        while let start = rest.baseAddress, let found = memchr(start, Int32(newline), rest.count) {
            let count = UnsafeRawPointer(found) - start
            buffer.append(contentsOf: rest.prefix(count))
            buffer.append(contentsOf: #"\n"#.utf8)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count + 1))
        }
        buffer.append(contentsOf: rest)
        buffer.append(newline)
        ends.append(buffer.count)
    }

    /// Writes what is gathered.
    ///
    /// - Parameter stop: What ends a wait: the other side then has five seconds for the rest, and none when it was asked
    ///   twice.
    /// - Throws: ``LineOutputError`` when lines are left over; what was written of the first of them is cut off again
    ///   where that is possible.
    package mutating func flush(until stop: borrowing StopRequest) throws(LineOutputError) {
        var deadline: ContinuousClock.Instant?
        var isDiskFull = false
        while written < buffer.count {
            if stop.isStopping && deadline == nil { deadline = .now + Self.grace }
            if stop.isEnding { deadline = .now }
            switch buffer.withUnsafeBytes({ target.write(UnsafeRawBufferPointer(rebasing: $0[written...])) }) {
            case .wrote(let count):
                written += count
                if isDiskFull { logger.notice("\(target.name) has room again") }
                isDiskFull = false
            case .noRoom:
                if !wait(for: target.descriptor, stop, deadline) { throw leftOver("nobody takes more") }
            case .diskFull(let reason):
                if !isDiskFull {
                    logger.warning("\(target.name): no room; it is tried again until there is: \(reason)")
                }
                isDiskFull = true
                if stop.isStopping { throw leftOver(reason) }
                let again = ContinuousClock.now + Self.diskInterval
                _ = wait(for: -1, stop, again)
            case .failed(let reason): throw leftOver(reason)
            }
        }
        empty()
    }

    /// Opens the file again, after it was moved away; nothing may be gathered.
    ///
    /// - Throws: ``LineOutputError``; lines go on to the file that was open.
    package mutating func reopen() throws(LineOutputError) { try target.reopen() }

    private mutating func empty() {
        written = 0
        ends.removeAll(keepingCapacity: true)
        // One long message is no reason to keep its memory.
        buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 20)
    }

    /// Waits until a descriptor takes more; a negative one never does.
    ///
    /// - Returns: Whether it may; false when the time is up.
    private func wait(
        for descriptor: Int32, _ stop: borrowing StopRequest, _ deadline: ContinuousClock.Instant?
    ) -> Bool {
        // Once it was asked to stop, its descriptor stays readable, and only time ends the wait; a second request then
        // counts after at most a tenth of a second.
        let isStopping = stop.isStopping
        var items = [
            pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: isStopping ? -1 : stop.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        var limit: Int32 = isStopping ? 100 : -1
        if let deadline {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return false }
            limit = Int32(min(left / .milliseconds(1) + 1, isStopping ? 100 : 60_000))
        }
        _ = poll(&items, 2, limit)
        return true
    }

    /// Cuts back what was written of a line, and counts those that were not.
    private mutating func leftOver(_ reason: String) -> LineOutputError {
        let whole = ends.prefix { $0 <= written }.count
        let start = whole == 0 ? 0 : ends[whole - 1]
        if written > start { target.cutBack(written - start) }
        let count = ends.count - whole
        empty()
        return LineOutputError(
            "\(target.name): \(count) \(count == 1 ? "message" : "messages") could not be written: \(reason)",
            unwritten: count)
    }
}

/// Why messages cannot be written.
package struct LineOutputError: Error, CustomStringConvertible {
    /// What happened to what.
    package let description: String
    /// How many messages were gathered and are not written.
    package let unwritten: Int

    init(_ description: String, unwritten: Int = 0) {
        self.description = description
        self.unwritten = unwritten
    }

    init(_ description: String, _ number: Int32) {
        self.init("\(description): \(String(cString: strerror(number)))")
    }
}
