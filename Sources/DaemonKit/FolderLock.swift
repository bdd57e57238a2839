import Glibc
import SystemPackage

extension Folder {
    /// Makes this process the only one that uses the folder, until it ends, however that happens.
    ///
    /// A lock (flock(2)) on the file `lock` in it says so. The file has mode 0600, so that no other user can hold it, and
    /// is never removed; its descriptor stays open.
    ///
    /// - Throws: ``DaemonError``: `alreadyRunning` when a live process uses the folder, else `folder`.
    func claim() throws(DaemonError) {
        let lock = path.appending("lock")
        let file = openFile(lock, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        guard file >= 0 else {
            throw DaemonError(.folder, "cannot open \(shown(lock.string)), the lock of \(name)", cause: lastError)
        }
        do throws(DaemonError) {
            guard retrying({ Int(flock(file, LOCK_EX | LOCK_NB)) }) == 0 else {
                guard errno == EWOULDBLOCK else { throw DaemonError(.folder, "cannot lock \(name)", cause: lastError) }
                throw DaemonError(
                    .alreadyRunning, "process \(processNumber(in: file)) is running and uses \(name): stop it first")
            }
        } catch {
            close(file)
            throw error
        }
        // Only the message above reads the number: a full disk is no reason not to start.
        let text = Array("\(getpid())\n".utf8)
        if pwrite(file, text, text.count, 0) == text.count { _ = ftruncate(file, off_t(text.count)) }
    }
}

/// The process number in an open file, for a message.
func processNumber(in file: Int32) -> String {
    readSmallText(file, limit: 32).flatMap { Int32($0.prefix { $0 != "\n" }) }.map { "\($0)" } ?? "(unknown)"
}
