import Glibc
import SystemPackage

/// Reads what a descriptor holds at the moment, without ever waiting and without touching the descriptor's flags.
///
/// The flags belong to all processes that share the open file, as those of one terminal do, so it makes no difference here
/// whether O_NONBLOCK is set: each read(2) comes after a poll(2) that said there is something.
package struct BlockReader: ~Copyable {
    /// What a read found.
    package enum Outcome {
        /// Bytes, valid until the next read.
        case bytes(UnsafeRawBufferPointer)
        /// Nothing now: wait until the descriptor is readable.
        case nothingYet
        /// The end of the input, now and in every later read.
        case end
    }

    /// What to wait on for more input; it is only borrowed, and never closed.
    package let descriptor: Int32
    private let block: OwnedBytes
    private var isAtEnd: Bool

    /// Looks at a descriptor; one that is closed is an input without a single byte.
    ///
    /// - Parameters:
    ///   - descriptor: A pipe, socket, terminal or regular file that is open for reading.
    ///   - blockSize: The most bytes of one read.
    /// - Throws: ``LogTransportError`` with code `unavailable` for a directory, or when it is not open for reading.
    package init(descriptor: Int32 = STDIN_FILENO, blockSize: Int = 131_072) throws(LogTransportError) {
        self.descriptor = descriptor
        block = OwnedBytes(usualCapacity: blockSize)
        isAtEnd = false
        let flags = fcntl(descriptor, F_GETFL)
        guard flags != -1 else {
            isAtEnd = true
            return
        }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw LogTransportError(.unavailable, "\(name) is a directory: give a file or a pipe instead")
        }
        guard flags & O_ACCMODE != O_WRONLY else {
            throw LogTransportError(.unavailable, "\(name) is open for writing only: give one that can be read")
        }
    }

    /// Reads what there is, at most one block.
    ///
    /// - Throws: ``LogTransportError`` with code `systemError` when the kernel refuses.
    package mutating func read() throws(LogTransportError) -> Outcome {
        while !isAtEnd {
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&wait, 1, 0)
            if ready == 0 { return .nothingYet }
            let count = ready < 0 ? -1 : Glibc.read(descriptor, block.start, block.capacity)
            if count > 0 { return .bytes(UnsafeRawBufferPointer(start: block.start, count: count)) }
            if count == 0 {
                isAtEnd = true
            } else if errno == EAGAIN {
                return .nothingYet
            } else if errno != EINTR {
                throw LogTransportError(.systemError, "cannot read \(name)", cause: Errno(rawValue: errno))
            }
        }
        return .end
    }

    private var name: String { descriptor == STDIN_FILENO ? "standard input" : "descriptor \(descriptor)" }
}
