import Glibc
import SystemPackage

/// A folder that is open; what is in it is reached through its descriptor, part by part, and never through a link.
final class Folder: Sendable {
    let descriptor: Int32

    init(adopting descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Opens a folder by its path, in which links are followed: it is the operator's.
    ///
    /// - Returns: `nil` when there is none.
    static func open(_ path: FilePath) throws(FileFault) -> Folder? {
        let descriptor = path.withPlatformString { Glibc.open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else {
            if lastError == .noSuchFileOrDirectory { return nil }
            throw .system(lastError)
        }
        return Folder(adopting: descriptor)
    }

    /// Opens a folder in this one.
    ///
    /// - Returns: `nil` when there is none.
    func folder(_ name: String) throws(FileFault) -> Folder? {
        let found = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if found >= 0 { return Folder(adopting: found) }
        switch lastError {
        case .noSuchFileOrDirectory: return nil
        case .notDirectory, .tooManySymbolicLinkLevels:
            guard let status = try status(of: name) else { return nil }
            switch status.kind {
            case .link: throw .link(name)
            case .file: throw .object(name)
            // It was put there a moment ago in the place of something else.
            case .folder: throw .unsettled
            case .other: throw .notRegular(name)
            }
        case let error: throw .system(error)
        }
    }

    /// Makes a folder in this one.
    ///
    /// - Returns: Whether it was not there before.
    func makeFolder(_ name: String) throws(Errno) -> Bool {
        if mkdirat(descriptor, name, 0o777) == 0 { return true }
        guard lastError == .fileExists else { throw lastError }
        return false
    }

    /// Opens a file in this one to read it.
    func file(_ name: String) throws(FileFault) -> Int32 {
        // Without O_NONBLOCK a named pipe would be waited for.
        let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else {
            switch lastError {
            case .noSuchFileOrDirectory: throw .notFound
            case .tooManySymbolicLinkLevels: throw .link(name)
            case let error: throw .system(error)
            }
        }
        return file
    }

    /// What is known of a name in this folder, or of the link of that name; `nil` when there is none.
    func status(of name: UnsafePointer<CChar>) throws(FileFault) -> FileStatus? {
        var status = stat()
        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if lastError == .noSuchFileOrDirectory { return nil }
            throw .system(lastError)
        }
        return FileStatus(status)
    }

    /// Makes new names safe from a loss of power.
    func synchronize() throws(FileFault) {
        guard retrying({ Int(fsync(descriptor)) }) == 0 else { throw .system(lastError) }
    }

    /// Which folder it is; `nil` when it has been removed.
    var identity: FileIdentity? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_nlink > 0 else { return nil }
        return FileIdentity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    }
}

/// What tells one file or folder from others that there are at the same time.
struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let number: UInt64
}
