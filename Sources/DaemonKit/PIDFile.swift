import Glibc
import Synchronization
public import SystemPackage

/// The file that says which process the daemon is, held by a lock for as long as it lives.
///
/// The lock (flock(2)) belongs to the open file and ends with the process, however that ends: a file without a lock is
/// stale, whatever number is in it, and is taken over.
public final class PIDFile: Sendable {
    /// Where it is.
    public let path: FilePath
    private let owner: pid_t
    private let descriptor: Mutex<Int32?>

    /// Creates or takes over the file, and writes this process's number to it: mode 0644, a number and a line feed.
    ///
    /// - Parameter path: Where it is; a symbolic link is refused.
    /// - Throws: ``DaemonError``: `alreadyRunning` when a live process holds it, else `pidFile`.
    public init(claiming path: FilePath) throws(DaemonError) {
        self.path = path
        owner = getpid()
        var claimed = try Self.lock(path)
        // Between the open and the lock its last owner may have removed it: then the lock is on a file without a name.
        while let locked = fileStatus(claimed), linkStatus(path)?.isSameFile(as: locked) != true {
            close(claimed)
            claimed = try Self.lock(path)
        }
        do throws(DaemonError) {
            try Self.write(owner, to: claimed, at: path)
        } catch {
            close(claimed)
            throw error
        }
        descriptor = Mutex(claimed)
    }

    deinit { release() }

    /// Removes the file, and lets go of the lock.
    ///
    /// Only the process that created it does so, and only if it is the same file.
    public func release() {
        descriptor.withLock { descriptor in
            guard let held = descriptor, getpid() == owner else { return }
            descriptor = nil
            if let named = linkStatus(path), let locked = fileStatus(held), named.isSameFile(as: locked) {
                _ = path.withPlatformString { unlink($0) }
            }
            close(held)
        }
    }

    private static func lock(_ path: FilePath) throws(DaemonError) -> Int32 {
        let name = "the PID file \(shown(path.string))"
        var file = openFile(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o644)
        // Another user's file can be read and locked, and where the folder allows it, replaced.
        let isForeign = file < 0 && errno == EACCES
        if isForeign { file = openFile(path, O_RDONLY | O_NOFOLLOW) }
        guard file >= 0 else {
            throw errno == ELOOP
                ? DaemonError(.pidFile, "\(name) is a symbolic link: remove it")
                : DaemonError(.pidFile, "cannot open \(name)", cause: lastError)
        }
        do throws(DaemonError) {
            guard let status = fileStatus(file), status.isRegularFile else {
                throw DaemonError(.pidFile, "\(name) is not a regular file: remove it")
            }
            guard retrying({ Int(flock(file, LOCK_EX | LOCK_NB)) }) == 0 else {
                guard errno == EWOULDBLOCK else { throw DaemonError(.pidFile, "cannot lock \(name)", cause: lastError) }
                throw DaemonError(
                    .alreadyRunning, "process \(processNumber(in: file)) is running and holds \(name): stop it first")
            }
            guard isForeign else { return file }
            guard path.withPlatformString({ unlink($0) }) == 0 else {
                throw DaemonError(.pidFile, "\(name) is stale, but another user's: remove it", cause: lastError)
            }
        } catch {
            close(file)
            throw error
        }
        close(file)
        return try lock(path)
    }

    private static func write(_ number: pid_t, to file: Int32, at path: FilePath) throws(DaemonError) {
        let text = Array("\(number)\n".utf8)
        // The number is written before the rest of an old one is cut off, so that the file is never empty.
        guard fchmod(file, 0o644) == 0, pwrite(file, text, text.count, 0) == text.count,
            ftruncate(file, off_t(text.count)) == 0
        else {
            throw DaemonError(.pidFile, "cannot write the PID file \(shown(path.string))", cause: lastError)
        }
    }
}
