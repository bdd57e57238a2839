internal import Glibc
internal import SystemPackage

/// What is done to configuration files, durably; the calls block.
enum Files {
    /// Writes a new file of mode 0600; what stood at `path` is removed first, and a link there is not followed.
    ///
    /// The bytes are on disk when the call returns, and its name is once the file is moved into place; when it throws,
    /// there is no file at `path`.
    static func write(_ bytes: [UInt8], to path: FilePath) throws(HAProxyError) {
        try remove(path)
        let descriptor = open(path.string, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("create", path, errno) }
        var isComplete = false
        defer {
            close(descriptor)
            if !isComplete { unlink(path.string) }
        }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw failure("write", path, errno)
            }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw failure("write", path, errno) }
        isComplete = true
    }

    /// Puts `source` in the place of `destination`, whole or not at all.
    static func move(_ source: FilePath, to destination: FilePath) throws(HAProxyError) {
        guard rename(source.string, destination.string) == 0 else {
            throw failure("move \(source) to", destination, errno)
        }
        try synchronizeFolder(of: destination)
    }

    /// Makes `destination` hold what `source` does, whole or not at all; without a source there is no destination.
    static func copy(_ source: FilePath, to destination: FilePath) throws(HAProxyError) {
        guard let bytes = try read(source) else { return try remove(destination) }
        let temporary = FilePath(destination.string + ".new")
        try write(bytes, to: temporary)
        try move(temporary, to: destination)
    }

    /// Makes `destination` hold what `source` does, which from now on is replaced and never written to; without a source
    /// there is no destination.
    ///
    /// It is another name of the same file, so that nothing is written, whatever its size.
    static func keep(_ source: FilePath, as destination: FilePath) throws(HAProxyError) {
        let temporary = FilePath(destination.string + ".new")
        try remove(temporary)
        guard link(source.string, temporary.string) == 0 else {
            // Nothing to keep, or a file system without links.
            return try copy(source, to: destination)
        }
        try move(temporary, to: destination)
        // Renaming a file to another name of itself does nothing.
        unlink(temporary.string)
    }

    /// Removes a file, if there is one.
    static func remove(_ path: FilePath) throws(HAProxyError) {
        guard unlink(path.string) != 0 else { return try synchronizeFolder(of: path) }
        guard errno == ENOENT else { throw failure("remove", path, errno) }
    }

    /// The bytes of a file; nil when there is none.
    static func read(_ path: FilePath) throws(HAProxyError) -> [UInt8]? {
        // Without O_NONBLOCK a FIFO that somebody left there would block for good.
        let descriptor = open(path.string, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("read", path, errno)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw failure("read", path, errno)
            }
            bytes += buffer[..<count]
        }
    }

    /// Whether there is an entry at `path`, a link that leads nowhere included.
    static func exists(_ path: FilePath) throws(HAProxyError) -> Bool {
        var status = stat()
        if lstat(path.string, &status) == 0 { return true }
        guard errno == ENOENT else { throw failure("look at", path, errno) }
        return false
    }

    /// Brings what root wrote to disk, as far as this user may open it.
    static func synchronize(_ path: FilePath) {
        for entry in [path, path.removingLastComponent()] {
            let descriptor = open(entry.string, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            guard descriptor >= 0 else { continue }
            fsync(descriptor)
            close(descriptor)
        }
    }

    /// Makes a new entry of a folder survive a crash of the machine.
    private static func synchronizeFolder(of path: FilePath) throws(HAProxyError) {
        let folder = path.removingLastComponent()
        let descriptor = open(folder.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", folder, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure("write", folder, errno) }
    }

    static func failure(_ action: String, _ path: FilePath, _ code: Int32) -> HAProxyError {
        let isForbidden = code == EACCES || code == EPERM
        return HAProxyError(
            isForbidden ? .permissionDenied : .inputOutput, "cannot \(action) \(path): \(describe(code))",
            cause: Errno(rawValue: code))
    }
}

/// What the system says of an error number.
func describe(_ code: Int32) -> String { Errno(rawValue: code).description }
