import Glibc
import Synchronization
import TestServers

/// A pipe whose reading end is a relay's input.
final class InputPipe: Sendable {
    let reader: Int32
    private let ends: Mutex<(reader: Int32, writer: Int32)>

    init() throws {
        let made = try makePipe()
        reader = made.reader
        ends = Mutex(made)
    }

    deinit {
        closeWriter()
        closeReader()
    }

    /// Writes all of a text, as long as somebody reads; to be called where it may block.
    func write(_ text: String) { _ = isWritten(text) }

    /// Writes a text again and again until nobody reads any more; to be called where it may block.
    func write(endlessly text: String) { while isWritten(text) {} }

    private func isWritten(_ text: String) -> Bool {
        let descriptor = ends.withLock { $0.writer }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Whether a writer would have to wait.
    var isFull: Bool {
        var item = pollfd(fd: ends.withLock { $0.writer }, events: Int16(POLLOUT), revents: 0)
        return poll(&item, 1, 0) == 0
    }

    func closeWriter() {
        ends.withLock { ends in
            if ends.writer >= 0 { close(ends.writer) }
            ends.writer = -1
        }
    }

    func closeReader() {
        ends.withLock { ends in
            if ends.reader >= 0 { close(ends.reader) }
            ends.reader = -1
        }
    }
}

/// A pipe whose writing end is a relay's output.
final class OutputPipe: Sendable {
    let writer: Int32
    private let reader: Mutex<Int32>
    private let read = Mutex<[UInt8]>([])

    init() throws {
        let made = try makePipe()
        writer = made.writer
        _ = fcntl(made.reader, F_SETFL, O_NONBLOCK)
        reader = Mutex(made.reader)
    }

    deinit {
        close()
        Glibc.close(writer)
    }

    /// All that was written so far.
    var text: String {
        reader.withLock { reader in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while case let count = Glibc.read(reader, &buffer, buffer.count), count > 0 {
                read.withLock { $0 += buffer[..<count] }
            }
        }
        return read.withLock { String(decoding: $0, as: UTF8.self) }
    }

    /// Reads no more.
    func close() {
        reader.withLock { reader in
            if reader >= 0 { Glibc.close(reader) }
            reader = -1
        }
    }
}

private func makePipe() throws -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw TestServerError("no pipe: \(String(cString: strerror(errno)))") }
    // What a test writes to a relay that has ended is an error, not the end of the tests.
    signal(SIGPIPE, SIG_IGN)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
}
