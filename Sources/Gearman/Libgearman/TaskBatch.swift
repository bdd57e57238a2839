import CGearman

/// Jobs that are submitted over one connection, and what became of each.
///
/// Used by one thread.
final class TaskBatch {
    /// One job.
    struct Entry {
        let index: Int
        let function: String
        let unique: String?
    }

    /// What libgearman keeps with a task.
    struct Context {
        let batch: Unmanaged<TaskBatch>
        let index: Int
    }

    /// Hears of a job; `false` when nobody wants to hear more.
    typealias Settle = (_ index: Int, _ result: Result<[UInt8], GearmanError>) -> Bool

    let isBackground: Bool
    /// When what is unsettled is given up; later by the time that ``Settle`` has taken.
    private(set) var deadline: ContinuousClock.Instant
    /// Whether ``Settle`` said so.
    private(set) var isAbandoned = false

    private let requests: [JobRequest]
    private let unique: String?
    private let settle: Settle
    private let contexts: UnsafeMutablePointer<Context>
    /// The workloads, to which libgearman keeps pointers; requests in a row with the same one share it.
    private var copies: [UnsafeMutableRawBufferPointer] = []
    private var copied: [UInt8]?
    private var isSettledAt: [Bool]
    private var position = 0
    private var settled = 0
    /// What workers sent ahead of the end of their results (`WORK_DATA`).
    private var parts: [Int: [UInt8]] = [:]

    /// Describes the jobs.
    ///
    /// - Parameters:
    ///   - requests: The jobs.
    ///   - unique: The client's name for the first job.
    ///   - isBackground: Whether only the job server's receipt is waited for; the result then is the job's handle.
    ///   - deadline: When to give up.
    ///   - settle: Hears of each job once.
    init(
        _ requests: [JobRequest], unique: String?, isBackground: Bool, deadline: ContinuousClock.Instant,
        settle: @escaping Settle
    ) {
        self.requests = requests
        self.unique = unique
        self.isBackground = isBackground
        self.deadline = deadline
        self.settle = settle
        contexts = .allocate(capacity: max(1, requests.count))
        isSettledAt = Array(repeating: false, count: requests.count)
    }

    deinit {
        contexts.deallocate()
        for copy in copies { copy.deallocate() }
    }

    /// Whether nothing is left to wait for.
    var isSettled: Bool { settled == requests.count }

    /// How many jobs are with libgearman and not settled.
    var unsettled: Int { position - settled }

    /// The next job for libgearman.
    func next() -> Entry? {
        guard position < requests.count else { return nil }
        defer { position += 1 }
        return Entry(
            index: position, function: requests[position].function, unique: position == 0 ? unique : nil)
    }

    /// What libgearman is to keep with the task; valid as long as the batch.
    func context(of entry: Entry) -> UnsafeMutableRawPointer {
        let context = contexts + entry.index
        context.initialize(to: Context(batch: .passUnretained(self), index: entry.index))
        return UnsafeMutableRawPointer(context)
    }

    /// The workload, as long as the batch; a null pointer when it is empty, as libgearman wants it.
    func workload(of entry: Entry) -> UnsafeRawBufferPointer {
        let workload = requests[entry.index].workload
        guard !workload.isEmpty else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        if copied == workload, let copy = copies.last { return UnsafeRawBufferPointer(copy) }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: workload.count, alignment: 1)
        copy.copyBytes(from: workload)
        copies.append(copy)
        copied = workload
        return UnsafeRawBufferPointer(copy)
    }

    /// Tells what is unsettled why it will not be settled.
    func settleRest(_ error: GearmanError) {
        for index in requests.indices where !isSettledAt[index] && !isAbandoned {
            let function = requests[index].function
            let error =
                error.code == .timedOut
                ? GearmanError(.timedOut, "no answer to a job of function '\(function)' in time (\(error.message))")
                : error
            conclude(index, .failure(error))
        }
    }

    fileprivate func receive(_ data: UnsafeRawBufferPointer, for index: Int) {
        parts[index, default: []] += data
    }

    fileprivate func complete(_ index: Int, _ data: UnsafeRawBufferPointer) {
        conclude(index, .success((parts.removeValue(forKey: index) ?? []) + data))
    }

    fileprivate func fail(_ index: Int) {
        parts[index] = nil
        let function = requests[index].function
        conclude(
            index, .failure(GearmanError(.jobFailed, "the worker said that its job of function '\(function)' failed")))
    }

    private func conclude(_ index: Int, _ result: Result<[UInt8], GearmanError>) {
        guard !isSettledAt[index] else { return }
        isSettledAt[index] = true
        settled += 1
        let start = ContinuousClock.now
        if !settle(index, result) { isAbandoned = true }
        deadline += start.duration(to: .now)
    }
}

/// Calls `body` with the batch that a task belongs to, and its place there.
private func withBatch(
    of task: UnsafeMutablePointer<gearman_task_st>?, _ body: (TaskBatch, Int) -> Void
) -> gearman_return_t {
    guard let context = gearman_task_context(task)?.assumingMemoryBound(to: TaskBatch.Context.self).pointee else {
        return GEARMAN_SUCCESS
    }
    let batch = context.batch.takeUnretainedValue()
    body(batch, context.index)
    // GEARMAN_PAUSE lets gearman_client_run_tasks return.
    return batch.isAbandoned ? GEARMAN_PAUSE : GEARMAN_SUCCESS
}

private func data(of task: UnsafeMutablePointer<gearman_task_st>?) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: gearman_task_data(task), count: gearman_task_data_size(task))
}

/// The job server took the job.
func taskWasCreated(_ task: UnsafeMutablePointer<gearman_task_st>?) -> gearman_return_t {
    withBatch(of: task) { batch, index in
        guard batch.isBackground else { return }
        let handle = gearman_task_job_handle(task).map { String(cString: $0) } ?? ""
        Array(handle.utf8).withUnsafeBytes { batch.complete(index, $0) }
    }
}

/// The worker sent a part of its result.
func taskHasData(_ task: UnsafeMutablePointer<gearman_task_st>?) -> gearman_return_t {
    withBatch(of: task) { $0.receive(data(of: task), for: $1) }
}

/// The worker sent its result.
func taskIsComplete(_ task: UnsafeMutablePointer<gearman_task_st>?) -> gearman_return_t {
    withBatch(of: task) { $0.complete($1, data(of: task)) }
}

/// The worker, or the job server for it, said that the job failed.
func taskFailed(_ task: UnsafeMutablePointer<gearman_task_st>?) -> gearman_return_t {
    withBatch(of: task) { batch, index in batch.fail(index) }
}
