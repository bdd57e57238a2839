import Glibc
import SystemPackage

/// A spool's directory, which only this process uses as long as it is open.
///
/// Everything in it is reached through its descriptor: a directory that is renamed meanwhile stays the one in use.
final class SpoolDirectory: Sendable {
    let path: FilePath
    private let descriptor: Int32
    private let lock: Int32
    /// Whether others than its owner may make and remove files in it.
    let isWritableByOthers: Bool

    init(_ path: FilePath) throws(SpoolError) {
        self.path = path
        let made = path.withPlatformString { mkdir($0, 0o700) }
        guard made == 0 || errno == EEXIST else {
            throw SpoolError(
                lastError.isNoRoom ? .full : .unreadable,
                "cannot make the spool directory \(path): name one in a directory that is there and that the user who runs "
                    + "this can write to, or make it for that user",
                cause: lastError)
        }
        descriptor = path.withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else {
            throw SpoolError(
                .unreadable,
                "cannot open the spool directory \(path): it has to be a directory that the user who runs this can read and "
                    + "write",
                cause: lastError)
        }
        var status = stat()
        isWritableByOthers = fstat(descriptor, &status) == 0 && status.st_mode & (S_IWGRP | S_IWOTH) != 0
        do throws(SpoolError) {
            lock = try Self.lock(in: descriptor, of: path)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit {
        close(lock)
        close(descriptor)
    }

    /// Takes the directory for this process; the lock (flock(2)) ends with it, however that happens.
    private static func lock(in directory: Int32, of path: FilePath) throws(SpoolError) -> Int32 {
        let lock = openat(directory, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw SpoolError(
                lastError.isNoRoom ? .full : .unreadable,
                "cannot open the file lock in the spool directory \(path): the user who runs this has to be able to write "
                    + "there",
                cause: lastError)
        }
        guard retrying({ Int(flock(lock, LOCK_EX | LOCK_NB)) }) == 0 else {
            defer { close(lock) }
            guard lastError == .wouldBlock else {
                throw SpoolError(.systemError, "cannot lock the spool directory \(path)", cause: lastError)
            }
            throw SpoolError(.inUse, "another process uses the spool directory \(path): stop it, or name another one")
        }
        return lock
    }

    /// Lets another process have the directory.
    func release() { _ = flock(lock, LOCK_UN) }

    /// Opens a file that is there; nil when it is not, or when something else has its name.
    func openFile(_ name: String, writing: Bool = false) throws(SpoolError) -> Int32? {
        let flags = (writing ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = openat(descriptor, name, flags)
        guard file >= 0 else {
            if [.noSuchFileOrDirectory, .tooManySymbolicLinkLevels, .isDirectory].contains(lastError) { return nil }
            throw SpoolError(.unreadable, "cannot open \(path.appending(name))", cause: lastError)
        }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(file)
            return nil
        }
        return file
    }

    /// Makes a file that is not there yet, for this user only.
    func create(_ name: String) throws(Errno) -> Int32 {
        let file = openat(descriptor, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw lastError }
        return file
    }

    /// Removes a file; one that is not there is as good as removed.
    func remove(_ name: String) { unlinkat(descriptor, name, 0) }

    /// Makes new names safe from a loss of power; nil when that worked.
    func synchronize() -> Errno? { retrying { Int(fsync(descriptor)) } == 0 ? nil : lastError }

    /// The sequence numbers in the names of the segments, in order; other files are nobody's business.
    func segments() throws(SpoolError) -> [UInt64] {
        // The stream takes over the descriptor that it is given.
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            throw SpoolError(.unreadable, "cannot list the spool directory \(path)", cause: lastError)
        }
        defer { closedir(stream) }
        var found: [UInt64] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = SegmentFile.firstSequence(name) { found.append(number) }
        }
        return found.sorted()
    }
}
