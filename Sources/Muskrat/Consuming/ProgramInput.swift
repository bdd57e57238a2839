internal import DedicatedThread
internal import Glibc
internal import SystemPackage

/// What programs get on their standard input: bytes behind a descriptor, to be read whenever and however much a program
/// likes.
///
/// Nobody reads yet when they are written, so they go into a pipe as far as one takes them at once, and else into a file
/// without a name. Both is done on a thread of its own, since the disk may block.
struct ProgramInput: Sendable {
    private let thread = DedicatedThread(name: "program-input")

    /// A descriptor to read the bytes from; whoever gets it closes it.
    ///
    /// - Throws: `Errno`, when there is no descriptor left, or the disk is full.
    func descriptor(holding bytes: [UInt8]) async throws(Errno) -> FileDescriptor {
        try await thread.run { () throws(Errno) in
            if bytes.count <= Self.pipeCapacity, let pipe = try Self.pipe(holding: bytes) { return pipe }
            return try Self.temporaryFile(holding: bytes)
        }
    }

    /// What a pipe takes at most with nobody reading, where nothing else was asked for (pipe(7)).
    private static let pipeCapacity = 65_536

    private static func pipe(holding bytes: [UInt8]) throws(Errno) -> FileDescriptor? {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let isWhole = fill(ends[1], with: bytes)
        close(ends[1])
        if isWhole { return FileDescriptor(rawValue: ends[0]) }
        close(ends[0])
        return nil
    }

    /// Writes bytes into an empty pipe.
    ///
    /// A user who has many pipes gets such as hold a page or two (`pipe-user-pages-soft`, pipe(7)): a write that waits for
    /// room would wait for ever.
    ///
    /// - Returns: Whether it took all of them.
    static func fill(_ pipe: Int32, with bytes: [UInt8]) -> Bool {
        guard fcntl(pipe, F_SETFL, O_NONBLOCK) == 0 else { return false }
        var place = 0
        while place < bytes.count {
            let count = bytes.withUnsafeBytes { write(pipe, $0.baseAddress.map { $0 + place }, $0.count - place) }
            if count >= 0 { place += count } else if errno != EINTR { return false }
        }
        return true
    }

    private static func temporaryFile(holding bytes: [UInt8]) throws(Errno) -> FileDescriptor {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var name = Array("\(folder)/muskrat-XXXXXX".utf8CString)
        let number = mkstemp(&name)
        guard number >= 0 else { throw Errno(rawValue: errno) }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        unlink(name)
        let file = FileDescriptor(rawValue: number)
        do {
            _ = try file.writeAll(bytes)
            try file.seek(offset: 0, from: .start)
            return file
        } catch {
            close(number)
            throw error as? Errno ?? .ioError
        }
    }
}
