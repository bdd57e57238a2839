import Glibc

/// A pipe that one thread rings and another one waits for with poll(2).
final class Bell: Sendable {
    /// Readable from ``ring()`` to ``reset()``.
    let descriptor: Int32
    private let writingEnd: Int32

    init() throws(SpoolError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw SpoolError(.systemError, "cannot make a pipe for a spool", cause: lastError)
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (descriptor, writingEnd) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(writingEnd)
    }

    func ring() {
        // A full pipe is readable as well.
        _ = retrying { Glibc.write(writingEnd, "!", 1) }
    }

    func reset() {
        var bytes: (UInt64, UInt64) = (0, 0)
        while retrying({ read(descriptor, &bytes, 16) }) == 16 {}
    }

    /// Waits until it is rung, or until `timeout` has passed, and resets it.
    func wait(for timeout: Duration? = nil) {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // Rounded up, so that no wait ends before its time and begins again with nothing left.
        let milliseconds = timeout.map { Int32(clamping: Int64(($0 / .milliseconds(1)).rounded(.up))) } ?? -1
        // A signal ends the wait early; who waits looks whether what it waits for is there.
        _ = poll(&request, 1, milliseconds)
        reset()
    }
}
