internal import CommandKit
internal import Glibc
package import SystemPackage

/// A descriptor that lines are written to: standard output, or a file that is opened for appending and locked.
package struct OutputTarget: ~Copyable {
    /// What a write did.
    enum Outcome {
        case wrote(Int)
        /// The other side has to read first.
        case noRoom
        /// The disk is full, or the owner's share of it.
        case diskFull(String)
        case failed(String)
    }

    /// How the target is called in messages.
    let name: String
    private(set) var descriptor: Int32
    private let path: FilePath?
    private var isRegular: Bool

    /// Linux says that a pipe can be written to when a page of it is free (pipe(7)).
    private static let pipePiece = 4096

    /// Standard output, as it was given to the process.
    package static var standardOutput: OutputTarget {
        OutputTarget(name: "standard output", descriptor: STDOUT_FILENO, path: nil)
    }

    /// Opens a file for appending, or makes it with mode 0640; when it ends in half a line, that line is ended.
    ///
    /// - Parameter path: The file; it may also be a pipe or a device.
    /// - Throws: ``LineOutputError``, also when another process writes to the file.
    package init(opening path: FilePath) throws(LineOutputError) {
        let name = "the output file '\(visibleText(path.string))'"
        self.init(name: name, descriptor: try Self.open(path, name), path: path)
    }

    init(name: String, descriptor: Int32, path: FilePath?) {
        self.name = name
        self.descriptor = descriptor
        self.path = path
        isRegular = Self.isRegular(descriptor)
    }

    deinit {
        if path != nil { close(descriptor) }
    }

    /// Writes as much as is taken now, without waiting for more room.
    func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        if !isRegular {
            var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&item, 1, 0) > 0 else { return .noRoom }
        }
        let piece = isRegular ? bytes.count : min(bytes.count, Self.pipePiece)
        let count = Glibc.write(descriptor, bytes.baseAddress, piece)
        if count >= 0 { return .wrote(count) }
        switch errno {
        case EINTR, EAGAIN: return .noRoom
        case ENOSPC, EDQUOT: return .diskFull(String(cString: strerror(errno)))
        case EPIPE: return .failed("nobody reads it any more")
        default: return .failed(String(cString: strerror(errno)))
        }
    }

    /// Takes the last bytes of a file away again; a pipe has sent them already.
    func cutBack(_ count: Int) {
        var status = stat()
        guard isRegular, fstat(descriptor, &status) == 0 else { return }
        // What others have written behind it, to a file that came as standard output, is not this one's to cut.
        let end = lseek(descriptor, 0, SEEK_CUR)
        guard end == status.st_size, end >= count, ftruncate(descriptor, end - off_t(count)) == 0 else { return }
        lseek(descriptor, end - off_t(count), SEEK_SET)
    }

    /// Opens the path again, and goes on there.
    mutating func reopen() throws(LineOutputError) {
        guard let path else { return }
        // It may be the same file still, and its lock would be in the way.
        flock(descriptor, LOCK_UN)
        let fresh: Int32
        do throws(LineOutputError) {
            fresh = try Self.open(path, name)
        } catch {
            flock(descriptor, LOCK_EX | LOCK_NB)
            throw error
        }
        close(descriptor)
        descriptor = fresh
        isRegular = Self.isRegular(fresh)
    }

    private static func isRegular(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    private static func open(_ path: FilePath, _ name: String) throws(LineOutputError) -> Int32 {
        // Opened for reading too, so as to see how it ends; a FIFO opened so does not wait for a reader (fifo(7)).
        let file = path.withPlatformString { Glibc.open($0, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0o640) }
        guard file >= 0 else { throw LineOutputError("\(name) cannot be opened", errno) }
        guard isRegular(file) else { return file }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            close(file)
            throw LineOutputError("\(name) is written by another process: name another file")
        }
        endLastLine(file)
        return file
    }

    /// A process that was killed may have left half a line, which must not become one with the next.
    private static func endLastLine(_ file: Int32) {
        let size = lseek(file, 0, SEEK_END)
        var last: UInt8 = 0
        guard size > 0, pread(file, &last, 1, size - 1) == 1, last != UInt8(ascii: "\n") else { return }
        var newline = UInt8(ascii: "\n")
        _ = Glibc.write(file, &newline, 1)
    }
}
