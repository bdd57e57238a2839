internal import Glibc

/// A descriptor that one thread waits on and another makes readable: a pipe of its own.
final class EventDescriptor: Sendable {
    /// What to wait on for input.
    let number: Int32
    private let writer: Int32

    init() throws(LogTransportError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw LogTransportError(.systemError, "no pipe to wait on: \(String(cString: strerror(errno)))")
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (number, writer) = (ends[0], ends[1])
    }

    deinit {
        close(number)
        close(writer)
    }

    /// Makes the descriptor readable until ``clear()``.
    func set() {
        var byte: UInt8 = 1
        // It fails only when the pipe is full, and then the descriptor is readable already.
        _ = write(writer, &byte, 1)
    }

    /// Makes the descriptor unreadable again.
    func clear() {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { bytes in
            while read(number, bytes.baseAddress, bytes.count) == bytes.count {}
        }
    }
}
