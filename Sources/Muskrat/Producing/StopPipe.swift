internal import Glibc

/// A wish to end that a thread in poll(2) hears of.
final class StopPipe: Sendable {
    /// Readable once it was asked to end.
    let descriptor: Int32
    private let writer: Int32

    /// Makes one; without descriptors there is nothing to hear, and the wait is as long as it is.
    init() {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) == 0 {
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        (descriptor, writer) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(writer)
    }

    /// Asks to end, from any thread.
    func stop() {
        var byte: UInt8 = 1
        _ = write(writer, &byte, 1)
    }

    /// Whether it was asked.
    var isStopping: Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&item, 1, 0) > 0
    }
}
