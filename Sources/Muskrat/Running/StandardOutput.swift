internal import CommandKit
internal import Glibc

/// Standard output, for threads that may wait for as long as nobody reads.
enum StandardOutput {
    /// Writes bytes.
    ///
    /// - Returns: How many were written; fewer than there are when nobody reads any more.
    /// - Throws: `CommandError` with exit code 74 when the disk is full, say.
    static func write(_ bytes: [UInt8]) throws(CommandError) -> Int {
        var place = 0
        while place < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                Glibc.write(STDOUT_FILENO, bytes.baseAddress.map { $0 + place }, bytes.count - place)
            }
            if count >= 0 {
                place += count
            } else if errno == EPIPE {
                return place
            } else if errno == EAGAIN {
                // Others who share the descriptor have made it so.
                var item = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                _ = poll(&item, 1, -1)
            } else if errno != EINTR {
                throw CommandError(.inputOutput, "cannot write to standard output: \(String(cString: strerror(errno)))")
            }
        }
        return place
    }
}
