import ObjectStorage

/// A lease that is a lock of the kernel's, on folders: free at once when its holder ends, however that happens.
actor FileLease: Lease {
    private let store: FileObjectStore
    private let object: ObjectKey
    private let environment: LogEnvironment

    private var held: FileLock?
    private(set) var waiting: Task<Result<FileLock?, ObjectStoreError>, Never>?
    private var isClosed = false

    /// Names a lease; it is not taken yet.
    ///
    /// - Parameters:
    ///   - store: The folder that has the lock.
    ///   - object: What is locked, which need not be there.
    ///   - environment: Where it is waited.
    init(store: FileObjectStore, object: ObjectKey, environment: LogEnvironment) {
        self.store = store
        self.object = object
        self.environment = environment
    }

    func tryToTake() async throws(MessageLogError) -> Bool { try await take(waits: false) }

    func take() async throws(MessageLogError) { _ = try await take(waits: true) }

    private func take(waits: Bool) async throws(MessageLogError) -> Bool {
        guard !isClosed else { throw Self.closedError }
        if held != nil { return true }
        let (store, object) = (store, object)
        let task = Task<Result<FileLock?, ObjectStoreError>, Never>(executorPreference: environment.executor) {
            do throws(ObjectStoreError) {
                return .success(try await store.lock(object, waits: waits))
            } catch {
                return .failure(error)
            }
        }
        waiting = task
        let outcome = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        waiting = nil
        guard !isClosed else { throw Self.closedError }
        do {
            held = try outcome.get()
        } catch {
            throw MessageLogError(error, "cannot take the lease \(object)")
        }
        return held != nil
    }

    /// The kernel knows the process (lslocks(8)), and nobody else.
    func otherHolder() -> String? { nil }

    func check() throws(MessageLogError) {
        guard held != nil else {
            throw MessageLogError(.leaseLost, "this reader does not have the lease \(object) of \(store)")
        }
    }

    func release() {
        held?.release()
        held = nil
    }

    func close() {
        isClosed = true
        waiting?.cancel()
        release()
    }

    private static var closedError: MessageLogError { MessageLogError(.closed, "the reader was closed") }
}
