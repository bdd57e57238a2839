internal import Glibc

/// A small file that is replaced as a whole: after a crash or a loss of power it has the old bytes or the new ones.
///
/// Calls block, also for the disk.
struct AtomicFile: Sendable {
    let path: String

    /// A fault of the file system, in words that name the path.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// The number of the fault, as in `errno(3)`.
        let number: Int32

        init(_ action: String, _ path: String) {
            number = errno
            description = "cannot \(action) \(path): \(String(cString: strerror(number)))"
        }
    }

    /// The bytes of the file, or nil when there is none.
    func read() throws(Failure) -> [UInt8]? {
        // Without O_NONBLOCK a FIFO that somebody left there would block for good.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Failure("read", path)
        }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw Failure("read", path) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(information.st_size) + 1)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count > 0 {
                bytes += buffer[..<count]
            } else if errno != EINTR {
                throw Failure("read", path)
            }
        }
    }

    /// Replaces the file; its bytes and its name are on the disk when this returns.
    func write(_ bytes: [UInt8]) throws(Failure) {
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Failure("create", temporary) }
        do throws(Failure) {
            defer { close(descriptor) }
            try writeAll(bytes, to: descriptor, temporary)
            guard fsync(descriptor) == 0 else { throw Failure("write", temporary) }
        } catch {
            unlink(temporary)
            throw error
        }
        guard Glibc.rename(temporary, path) == 0 else {
            let failure = Failure("replace", path)
            unlink(temporary)
            throw failure
        }
        try syncFolder()
    }

    /// Puts this file in the place of another in the same folder.
    ///
    /// When this returns, every process sees it there. That the disk does too is tried, and no fault when it fails: after
    /// a loss of power both files would be as they were before.
    func rename(over other: AtomicFile) throws(Failure) {
        guard Glibc.rename(path, other.path) == 0 else { throw Failure("move \(path) to", other.path) }
        try? syncFolder()
    }

    /// Removes the file; no file is no fault.
    func remove() throws(Failure) {
        guard unlink(path) == 0 else {
            if errno == ENOENT { return }
            throw Failure("remove", path)
        }
        try syncFolder()
    }

    /// Moves the file out of the way, under the same name with `suffix`, and a number where earlier ones are kept.
    ///
    /// - Returns: Where it is now.
    @discardableResult
    func setAside(suffix: String) throws(Failure) -> String {
        var place = path + suffix
        var number = 1
        var information = stat()
        while lstat(place, &information) == 0 {
            number += 1
            place = "\(path)\(suffix).\(number)"
        }
        guard Glibc.rename(path, place) == 0 || errno == ENOENT else { throw Failure("set aside", path) }
        return place
    }

    private func writeAll(_ bytes: [UInt8], to descriptor: Int32, _ name: String) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw Failure("write", name)
            }
        }
    }

    private func syncFolder() throws(Failure) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Failure("sync", folder) }
    }
}
