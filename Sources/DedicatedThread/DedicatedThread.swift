/// A serial executor with an operating-system thread of its own.
///
/// Give it to an actor that owns a handle of a C library, or that makes calls which block: its jobs then run one after
/// the other on this thread and never hold up Swift's cooperative pool.
///
/// ```swift
/// actor Owner {
///     private let thread = DedicatedThread(name: "owner")
///     nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
/// }
/// ```
///
/// The thread starts with the first job, sleeps on a condition variable while there is none, and ends when the executor
/// is released and every job that was enqueued has run.
public final class DedicatedThread: SerialExecutor {
    private let queue: JobQueue

    /// Creates an executor.
    ///
    /// - Parameter name: What debuggers and `ps -L` show; Linux keeps its first 15 bytes.
    public init(name: String) {
        queue = JobQueue(name: name)
    }

    deinit {
        queue.close()
    }

    /// Runs `job` on this thread after those enqueued before it.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // The thread may release the last reference to the actor, and with it this executor, while the job runs; what
        // the job needs of the executor is its identity, which stays valid until the job has returned.
        let executor = asUnownedSerialExecutor()
        queue.append { job.runSynchronously(on: executor) }
    }

    /// Has a closure that may block run on this thread after what was enqueued before, and does not wait for it.
    ///
    /// - Parameter body: The work; it may block as long as it likes.
    package func start(_ body: @escaping @Sendable () -> Void) {
        queue.append(body)
    }

    /// Runs a closure that may block on this thread, and suspends the caller until it has returned.
    ///
    /// - Parameter body: The work; it may block as long as it likes.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            queue.append {
                do throws(Failure) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}
