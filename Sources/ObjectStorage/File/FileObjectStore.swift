internal import DedicatedThread
import Synchronization
public import SystemPackage

/// A store in a folder: an object is a file, and a key's parts are folders.
///
/// - An object is written to a file beside the others, made durable (fsync(2)), and then given its name: with `link` where
///   it may not be there, else with `rename`; then the folder is made durable. So `kill -9` and a loss of power leave an
///   object as it was or as it was to be.
/// - Conditions hold between all processes that use the folder, on all hosts that share it by a file system whose locks
///   (flock(2)) hold between them.
/// - The tag of an object is its file's number, time of change in nanoseconds, and size, so that nothing is read for it.
/// - Links are not followed in the folder, though the folder itself may be named by one.
/// - A key cannot be an object and a folder at once, as on other stores: putting it is refused as `unsupported`.
///
/// Folders are made as they are needed and removed with their last object. Keys that begin with `.object-store` are
/// refused; in that folder is what the store needs for itself. Nothing that blocks runs on the caller's thread.
public final class FileObjectStore: ObjectStore {
    /// The store as a URL.
    public let description: String

    let tree: FileTree
    let lockDesk: LockDesk
    /// What waits for the disk and what does not have threads of their own, so that reads do not wait for writes.
    private let writers = ThreadPool(name: "file-writer", count: 16)
    let readers = ThreadPool(name: "file-reader", count: 4)
    private let isClosed = Atomic(false)

    /// Names a folder; it is made, and those above it, when the first object is put into it.
    ///
    /// - Parameter root: The folder.
    public init(root: FilePath) {
        description = "file://\(root)"
        tree = FileTree(root)
        lockDesk = LockDesk(tree)
    }

    /// Writes an object; see ``ObjectStore/put(_:_:if:)``.
    ///
    /// - Throws: ``ObjectStoreError``; `full` when the disk is, `unsupported` when a folder has the object's name or an object
    ///   that of a folder.
    @discardableResult
    public func put(
        _ key: ObjectKey, _ body: [UInt8], if condition: PutCondition
    ) async throws(ObjectStoreError) -> EntityTag {
        try await run(on: writers, "write", key) { tree throws(FileFault) in
            try tree.write(key, body, if: condition)
        }
    }

    /// Reads an object; see ``ObjectStore/get(_:range:)``.
    public func get(_ key: ObjectKey, range: Range<Int>?) async throws(ObjectStoreError) -> StoredObject {
        try key.check(range)
        return try await run(on: readers, "read", key) { tree throws(FileFault) in try tree.read(key, range: range) }
    }

    /// Tells what is known of an object; see ``ObjectStore/head(_:)``.
    public func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
        try await run(on: readers, "look at", key) { tree throws(FileFault) in try tree.info(of: key) }
    }

    /// Lists a page of objects; see ``ObjectStore/list(_:)``.
    ///
    /// Links, other files that are no objects, and folders without objects are left out.
    public func list(_ query: ListQuery) async throws(ObjectStoreError) -> ObjectPage {
        try query.check()
        return try await run(on: readers, "list '\(query.prefix.visible)'") { tree throws(FileFault) in
            try ListingWalk.page(query, in: tree)
        }
    }

    /// Deletes an object, durably; see ``ObjectStore/delete(_:)``.
    public func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
        try await run(on: writers, "delete", key) { tree throws(FileFault) in try tree.delete(key) }
    }

    /// Lets go of threads and descriptors; later calls, and those that wait for a lock, throw `closed`.
    public func close() async {
        guard !isClosed.exchange(true, ordering: .sequentiallyConsistent) else { return }
        lockDesk.close()
        let tree = tree
        await writers.run { tree.letGo() }
    }

    func run<Value: Sendable>(
        on pool: ThreadPool, _ verb: String, _ key: ObjectKey,
        _ body: @escaping @Sendable (FileTree) throws(FileFault) -> Value
    ) async throws(ObjectStoreError) -> Value {
        try check(key)
        return try await run(on: pool, "\(verb) '\(key)'", body)
    }

    func check(_ key: ObjectKey) throws(ObjectStoreError) {
        guard !key.isReserved else {
            throw ObjectStoreError(
                .invalidArgument,
                "'\(key)' cannot be used in \(description): what begins with '\(Workspace.name)' is the store's own")
        }
    }

    private func run<Value: Sendable>(
        on pool: ThreadPool, _ attempt: String, _ body: @escaping @Sendable (FileTree) throws(FileFault) -> Value
    ) async throws(ObjectStoreError) -> Value {
        guard !isClosed.load(ordering: .sequentiallyConsistent) else {
            throw ObjectStoreError(.closed, "the store \(description) is closed")
        }
        let tree = tree
        do throws(FileFault) {
            return try await pool.run { () throws(FileFault) in try body(tree) }
        } catch {
            throw ObjectStoreError(error, attempt: attempt, root: tree.path)
        }
    }
}

extension ObjectKey {
    /// Whether it would lie in the folder that a file store has for itself.
    var isReserved: Bool {
        let name = Workspace.name.utf8
        guard description.utf8.starts(with: name) else { return false }
        return description.utf8.count == name.count || description.utf8.dropFirst(name.count).first == ListingName.slash
    }
}
