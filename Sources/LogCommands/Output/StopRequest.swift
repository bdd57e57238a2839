internal import Glibc
internal import Synchronization

/// How `hayrack receive` is asked to end, from any thread: once in order, twice at once.
package final class StopRequest: Sendable {
    /// Readable once it was asked, for poll(2).
    package let descriptor: Int32
    private let asked = Atomic<Int>(0)
    private let tellers: Int32

    /// Creates a request that nobody has made yet.
    ///
    /// - Throws: ``LineOutputError`` when the process has no descriptors left.
    package init() throws(LineOutputError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw LineOutputError("no pipe can be made", errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (descriptor, tellers) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(tellers)
    }

    /// Asks to end; at once, if it was asked before.
    ///
    /// - Returns: How often it was asked, this time included.
    @discardableResult
    package func stop() -> Int {
        let count = asked.add(1, ordering: .sequentiallyConsistent).newValue
        var byte: UInt8 = 1
        // It fails only when the pipe is full, and then the descriptor is readable already.
        _ = write(tellers, &byte, 1)
        return count
    }

    /// Whether it was asked.
    package var isStopping: Bool { asked.load(ordering: .sequentiallyConsistent) > 0 }
    /// Whether it was asked twice.
    package var isEnding: Bool { asked.load(ordering: .sequentiallyConsistent) > 1 }
}
