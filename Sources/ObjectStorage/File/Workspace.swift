import Glibc
import SystemPackage

/// The folder `.object-store` in a store's root, where what is no object lies.
///
/// `scratch/` has a folder for each process that writes, in which its objects lie until they are whole; `guards/` has the
/// files whose locks order the writers of one object; `locks/` has those that ``FileLock`` locks.
final class Workspace: Sendable {
    /// Its name; no key begins with it.
    static let name = ".object-store"

    let scratch: Scratch
    private let guards: Folder
    private let locks: Folder

    /// How many files the objects' guards are spread over, so that a put seldom waits for that of another object.
    private static let guardCount: UInt64 = 64

    init(in root: Folder) throws(FileFault) {
        let folder = try Self.make(Self.name, in: root)
        guards = try Self.make("guards", in: folder)
        locks = try Self.make("locks", in: folder)
        scratch = try Scratch(in: Self.make("scratch", in: folder))
    }

    /// Whether it is still there, or somebody has removed it.
    var isThere: Bool { scratch.isThere && guards.identity != nil && locks.identity != nil }

    private static func make(_ name: String, in parent: Folder) throws(FileFault) -> Folder {
        do throws(Errno) {
            _ = try parent.makeFolder(name)
        } catch {
            throw .system(error)
        }
        guard let folder = try parent.folder(name) else { throw .unsettled }
        return folder
    }

    /// Does something while nobody replaces that object under a condition, or, if alone, while nobody does so at all.
    func guarding<Value>(
        _ key: ObjectKey, alone: Bool, _ body: () throws(FileFault) -> Value
    ) throws(FileFault) -> Value {
        let file = try openLock(String(Self.hash(of: key) % Self.guardCount), in: guards)
        defer { close(file) }
        guard retrying({ Int(flock(file, alone ? LOCK_EX : LOCK_SH)) }) == 0 else { throw .system(lastError) }
        return try body()
    }

    /// Opens the file whose lock ``FileLock`` takes for that key.
    func openLock(of key: ObjectKey) throws(FileFault) -> Int32 { try openLock(LockName.of(key), in: locks) }

    private func openLock(_ name: String, in folder: Folder) throws(FileFault) -> Int32 {
        let file = openat(folder.descriptor, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw .system(lastError) }
        return file
    }

    /// FNV-1a, the same in all processes.
    private static func hash(of key: ObjectKey) -> UInt64 {
        key.description.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
