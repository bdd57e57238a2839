import Glibc
import SystemPackage

/// The error that the last system call of this thread left.
var lastError: Errno { Errno(rawValue: errno) }

/// Calls again while a signal interrupts.
func retrying(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

/// Writes all bytes to a file; nil when that worked.
func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Errno? {
    var rest = bytes
    while !rest.isEmpty {
        let count = retrying { write(descriptor, rest.baseAddress, rest.count) }
        guard count > 0 else { return count == 0 ? .ioError : lastError }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return nil
}

/// Reads as many bytes at a place of a file as there are, up to the size of `target`.
func readAll(_ descriptor: Int32, into target: UnsafeMutableRawBufferPointer, at offset: Int) throws(Errno) -> Int {
    var done = 0
    while done < target.count {
        let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
        let count = retrying { pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done)) }
        guard count >= 0 else { throw lastError }
        guard count > 0 else { break }
        done += count
    }
    return done
}
