import Glibc
import Synchronization
import SystemPackage

/// A folder for the files that this process is writing, which another process empties when this one has ended.
///
/// As long as it is open its lock (flock(2)) is held, and the kernel gives that free however the process ends. So a folder
/// that can be locked is a dead process's, on whichever host it ran that has this file system.
final class Scratch: Sendable {
    let folder: Folder
    private let parent: Folder
    private let name: String
    private let files = Atomic<UInt64>(0)

    init(in parent: Folder) throws(FileFault) {
        self.parent = parent
        Self.removeDead(in: parent)
        while true {
            let name = String(UInt64.random(in: .min ... .max), radix: 36)
            guard mkdirat(parent.descriptor, name, 0o777) == 0 else {
                if lastError == .fileExists { continue }
                throw .system(lastError)
            }
            // Between these calls somebody may take it for a dead process's and remove it.
            guard let folder = try parent.folder(name) else { continue }
            guard retrying({ Int(flock(folder.descriptor, LOCK_EX)) }) == 0 else { throw .system(lastError) }
            guard folder.identity != nil else { continue }
            (self.folder, self.name) = (folder, name)
            return
        }
    }

    deinit { unlinkat(parent.descriptor, name, AT_REMOVEDIR) }

    var isThere: Bool { folder.identity != nil }

    /// Writes a file that is durable but for its name.
    ///
    /// - Returns: Its name, to be removed by ``remove(_:)``, and what is known of it.
    func write(_ body: [UInt8]) throws(FileFault) -> (name: String, status: FileStatus) {
        let name = String(files.add(1, ordering: .relaxed).newValue)
        let file = openat(folder.descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw .system(lastError) }
        defer { close(file) }
        do throws(FileFault) {
            if let error = body.withUnsafeBytes({ writeAll(file, $0) }) { throw .system(error) }
            let time = WriteTime.next()
            guard futimens(file, [time, time]) == 0, retrying({ Int(fsync(file)) }) == 0 else {
                throw .system(lastError)
            }
            var status = stat()
            guard fstat(file, &status) == 0 else { throw .system(lastError) }
            return (name, FileStatus(status))
        } catch {
            remove(name)
            throw error
        }
    }

    /// Removes a file's name here; that it is not there any more is no matter.
    func remove(_ name: String) { unlinkat(folder.descriptor, name, 0) }

    /// Removes what processes left that have ended.
    private static func removeDead(in parent: Folder) {
        // Whatever fails here takes room and does no harm; the next process tries again.
        guard var names = try? FolderEntries(parent) else { return }
        while let entry = names.next() {
            let name = String(decoding: entry.name, as: UTF8.self)
            guard let folder = try? parent.folder(name), flock(folder.descriptor, LOCK_EX | LOCK_NB) == 0,
                var files = try? FolderEntries(folder)
            else { continue }
            while let file = files.next() {
                let name = String(decoding: file.name, as: UTF8.self)
                unlinkat(folder.descriptor, name, 0)
            }
            unlinkat(parent.descriptor, name, AT_REMOVEDIR)
        }
    }
}
