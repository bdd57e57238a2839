import CommandKit
import DedicatedThread
import Glibc

/// The one place that writes to standard output: it may block for as long as nobody reads.
actor OutputThread {
    private let thread = DedicatedThread(name: "output")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Writes bytes, all of them.
    ///
    /// - Throws: `CommandError` with exit code 74 when nobody reads any more, or the disk is full.
    func write(_ bytes: [UInt8]) throws(CommandError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw CommandError(.inputOutput, "cannot write: \(String(cString: strerror(errno)))")
            }
        }
    }
}
