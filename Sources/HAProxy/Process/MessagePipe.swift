internal import Glibc
internal import SystemPackage

/// A named pipe that takes what a detached HAProxy says on its standard error.
///
/// A file would grow for as long as servers go up and down, with nobody there to shorten it. A pipe keeps the first
/// megabyte and drops the rest: HAProxy's end never blocks, and being open for reading too it never breaks, so HAProxy
/// needs nobody at the other end. Whoever wants to know why a reload failed empties it before, and reads it after.
enum MessagePipe {
    /// Makes a new pipe at `path`, in the place of what was there, and opens HAProxy's end of it.
    static func make(at path: FilePath) throws(HAProxyError) -> FileDescriptor {
        try Files.remove(path)
        guard mkfifo(path.string, 0o600) == 0 else { throw Files.failure("make the pipe", path, errno) }
        let descriptor = open(path.string, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw Files.failure("open the pipe", path, errno) }
        // Linux allows this much to everyone (fs.pipe-max-size); with less it is only shorter.
        _ = fcntl(descriptor, setPipeSize, 1 << 20)
        return FileDescriptor(rawValue: descriptor)
    }

    /// Opens the reader's end; nil when there is no pipe.
    static func reader(of path: FilePath) -> FileDescriptor? {
        let descriptor = open(path.string, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else {
            close(descriptor)
            return nil
        }
        return FileDescriptor(rawValue: descriptor)
    }

    /// Takes everything that waits in the pipe at `path`.
    static func drain(_ path: FilePath) -> [UInt8] {
        guard let reader = reader(of: path) else { return [] }
        defer { close(reader.rawValue) }
        return drain(reader)
    }

    /// Takes everything that waits in a pipe.
    static func drain(_ reader: FileDescriptor) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < 2 << 20, case let count = read(reader.rawValue, &buffer, buffer.count), count > 0 {
            bytes += buffer[..<count]
        }
        return bytes
    }

    /// Waits for words, for the end of everyone who could say some, or for the time to pass.
    ///
    /// - Returns: Whether nobody is left at the other end.
    static func wait(_ reader: FileDescriptor, atMost limit: Duration) -> Bool {
        var request = pollfd(fd: reader.rawValue, events: Int16(POLLIN), revents: 0)
        poll(&request, 1, Deadline(in: limit).pollTimeout)
        return Int32(request.revents) & (POLLHUP | POLLIN) == POLLHUP
    }

    /// `F_SETPIPE_SZ` of fcntl(2), which the C library declares for GNU sources only.
    private static let setPipeSize: Int32 = 1031
}
