import Glibc
import SystemPackage

/// The error that the last system call of this thread left.
var lastError: Errno { Errno(rawValue: errno) }

extension Errno {
    /// Whether it says that the disk, or what the user may have of it, is full.
    var isNoRoom: Bool { self == .noSpace || self == .diskQuotaExceeded }
}

/// Calls again while a signal interrupts.
func retrying(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

/// Writes all bytes at a place of a file; nil when that worked.
func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int) -> Errno? {
    var done = 0
    while done < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
        let count = retrying { pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done)) }
        guard count > 0 else { return count == 0 ? .ioError : lastError }
        done += count
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

/// What makes this start of the system different from others (random(4)); 0 when that cannot be read.
func bootNumber() -> UInt64 {
    let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return 0 }
    defer { close(file) }
    var text = [UInt8](repeating: 0, count: 36)
    let count = text.withUnsafeMutableBytes { (try? readAll(file, into: $0, at: 0)) ?? 0 }
    let digits = String(decoding: text[..<count], as: UTF8.self).filter { $0 != "-" }.prefix(16)
    return UInt64(digits, radix: 16) ?? 0
}
