internal import DedicatedThread
import Glibc
import Synchronization
import SystemPackage

/// A lock that its holder has as long as this value lives, or until it gives it back.
///
/// The kernel frees it (flock(2)) when the process ends, however that happens: another one has it then at once.
public final class FileLock: Sendable {
    /// What is locked.
    public let key: ObjectKey

    private let descriptor: Mutex<Int32?>

    init(_ key: ObjectKey, descriptor: Int32) {
        self.key = key
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    /// Gives the lock back; doing so again does nothing.
    public func release() {
        let held = descriptor.withLock { $0.take() }
        if let held { close(held) }
    }
}

extension FileObjectStore {
    /// Takes the lock of a key, which all processes that use the folder have in common.
    ///
    /// It has nothing to do with the object of that key, which need not exist, and keeps nobody from writing it. An empty
    /// file stays behind in the store's own folder.
    ///
    /// - Parameters:
    ///   - key: What to lock.
    ///   - waits: Whether to wait until the lock is free, or the task is cancelled. The wait takes a thread, which stays
    ///     until the lock is free even when nobody waits for it any more; a later wait for the key takes it over.
    /// - Returns: The lock; `nil` when somebody else has it and `waits` is false.
    /// - Throws: ``ObjectStoreError``; `cancelled`, `closed`.
    public func lock(_ key: ObjectKey, waits: Bool = true) async throws(ObjectStoreError) -> FileLock? {
        guard waits else {
            return try await run(on: readers, "lock", key) { tree throws(FileFault) in
                try tree.lock(key, waits: false).map { FileLock(key, descriptor: $0) }
            }
        }
        try check(key)
        let answer = FirstAnswer<LockDesk.Answer>()
        lockDesk.wait(for: key, answer)
        let given = await withTaskCancellationHandler {
            await answer.value()
        } onCancel: {
            lockDesk.cancel(key, answer)
        }
        switch given {
        case .locked(let descriptor): return FileLock(key, descriptor: descriptor)
        case .fault(let fault): throw ObjectStoreError(fault, attempt: "lock '\(key)'", root: tree.path)
        case .closed:
            throw ObjectStoreError(.closed, "the store \(description) was closed while '\(key)' was waited for")
        case .cancelled: throw ObjectStoreError(.cancelled, "the wait for the lock of '\(key)' was cancelled")
        }
    }
}

extension FileTree {
    /// Opens the file of a key's lock and locks it.
    ///
    /// - Returns: The descriptor that has the lock; `nil` when somebody else has it, and it is not to be waited for.
    func lock(_ key: ObjectKey, waits: Bool) throws(FileFault) -> Int32? {
        for attempt in 0..<Self.attempts {
            Self.pause(before: attempt)
            let file = try workspace().openLock(of: key)
            guard retrying({ Int(flock(file, LOCK_EX | (waits ? 0 : LOCK_NB))) }) == 0 else {
                let error = lastError
                close(file)
                if error == .wouldBlock { return nil }
                throw .system(error)
            }
            var status = stat()
            if fstat(file, &status) == 0, status.st_nlink > 0 { return file }
            // Somebody removed the file: the lock of a file without a name keeps nobody out.
            close(file)
        }
        throw .unsettled
    }
}
