import Glibc
import Synchronization
import SystemPackage

/// The folder that a store's objects lie in, and those within it; its calls block.
///
/// Descriptors are kept open only of the root and of the workspace. Both may be removed at any time, and are then opened or
/// made anew.
final class FileTree: Sendable {
    let path: FilePath
    private let opened = Mutex<(root: Folder?, workspace: Workspace?)>((nil, nil))
    /// The folders whose names are known to be safe from a loss of power.
    private let durable = Mutex<Set<FileIdentity>>([])

    /// How often an operation starts again because somebody removed the folder that it had opened: for some seconds.
    static let attempts = 1000

    /// Lets others go on before an operation starts again.
    ///
    /// A folder that is being removed is found as long as that takes, and whoever removes it may have to wait for the disk.
    static func pause(before attempt: Int) {
        guard attempt > 0 else { return }
        var pause = timespec(tv_sec: 0, tv_nsec: min(attempt, 50) * 100_000)
        nanosleep(&pause, nil)
    }

    init(_ path: FilePath) { self.path = path }

    /// The root; `nil` when there is none.
    func root() throws(FileFault) -> Folder? {
        try opened.withLock { opened throws(FileFault) in
            if let root = opened.root, root.identity != nil { return root }
            opened = (try Folder.open(path), nil)
            return opened.root
        }
    }

    /// The root, made if there is none.
    private func madeRoot() throws(FileFault) -> Folder {
        if let root = try root() { return root }
        try Self.makeFolders(path)
        guard let root = try root() else { throw .unsettled }
        return root
    }

    /// Makes a folder and those above it.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - attempts: How often to make those above it: others may remove them meanwhile, and there are places, such as
    ///     `/proc`, where there can be none.
    /// - Throws: `FileFault`.
    private static func makeFolders(_ path: FilePath, attempts: Int = attempts) throws(FileFault) {
        let made = path.withPlatformString { mkdir($0, 0o777) }
        if made != 0 {
            switch lastError {
            case .fileExists: return
            case .noSuchFileOrDirectory where attempts > 0:
                let parent = path.removingLastComponent()
                guard !parent.isEmpty, parent != path else { throw .system(.noSuchFileOrDirectory) }
                try makeFolders(parent)
                return try makeFolders(path, attempts: attempts - 1)
            case let error: throw .system(error)
            }
        }
        let parent = path.removingLastComponent()
        try Folder.open(parent.isEmpty ? "." : parent)?.synchronize()
    }

    /// What the store needs beside its objects, made if it is not there.
    func workspace() throws(FileFault) -> Workspace {
        let root = try madeRoot()
        return try opened.withLock { opened throws(FileFault) in
            if let workspace = opened.workspace, workspace.isThere { return workspace }
            let workspace = try Workspace(in: root)
            opened.workspace = workspace
            return workspace
        }
    }

    /// Lets go of all descriptors.
    func letGo() { opened.withLock { $0 = (nil, nil) } }

    /// The folders from the root to the one that an object lies in; `nil` when one of them is not there.
    func folders(of path: KeyPath) throws(FileFault) -> [Folder]? {
        guard let root = try root() else { return nil }
        var folders = [root]
        for part in path.folders {
            guard let next = try folders[folders.count - 1].folder(part) else { return nil }
            folders.append(next)
        }
        return folders
    }

    /// The folder that an object lies in, made if it is not there, its name safe from a loss of power.
    ///
    /// - Returns: `nil` when somebody removed a folder meanwhile: try again.
    func madeFolder(of path: KeyPath) throws(FileFault) -> Folder? {
        var folder = try madeRoot()
        for part in path.folders {
            let (next, isNew): (Folder, Bool)
            if let found = try folder.folder(part) {
                (next, isNew) = (found, false)
            } else {
                do throws(Errno) {
                    isNew = try folder.makeFolder(part)
                } catch {
                    if error == .noSuchFileOrDirectory { return nil }
                    throw .system(error)
                }
                guard let made = try folder.folder(part) else { return nil }
                next = made
            }
            guard let identity = next.identity else { return nil }
            // Whoever else made it may not have come to this yet.
            if isNew || !durable.withLock({ $0.contains(identity) }) {
                try folder.synchronize()
                durable.withLock { durable in
                    if durable.count >= 65_536 { durable.removeAll() }
                    durable.insert(identity)
                }
            }
            folder = next
        }
        return folder
    }

    /// Removes the folders from the last one up that have nothing in them.
    func removeEmpty(_ folders: [Folder], of path: KeyPath) {
        for index in path.folders.indices.reversed() {
            let identity = folders[index + 1].identity
            guard unlinkat(folders[index].descriptor, path.folders[index], AT_REMOVEDIR) == 0 else { return }
            if let identity { durable.withLock { _ = $0.remove(identity) } }
        }
    }
}

/// A key as the file system has it.
struct KeyPath {
    /// The folders, from the root on.
    let folders: [String]
    /// The file.
    let name: String

    init(_ key: ObjectKey) {
        var parts = key.description.split(separator: "/").map(String.init)
        name = parts.removeLast()
        folders = parts
    }
}
