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

/// Opens a file with close-on-exec, and without waiting for the other end of a FIFO.
func openFile(_ path: FilePath, _ flags: Int32, mode: mode_t = 0) -> Int32 {
    path.withPlatformString { open($0, flags | O_CLOEXEC | O_NONBLOCK, mode) }
}

/// What kind of file, and whose, a descriptor leads to.
func fileStatus(_ descriptor: Int32) -> stat? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? status : nil
}

/// What stands at a path, without following a link in its last part.
func linkStatus(_ path: FilePath) -> stat? {
    var status = stat()
    return path.withPlatformString { lstat($0, &status) } == 0 ? status : nil
}

extension stat {
    func isSameFile(as other: stat) -> Bool { st_dev == other.st_dev && st_ino == other.st_ino }
    var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
    var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
}
