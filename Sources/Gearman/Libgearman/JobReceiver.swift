import CGearman
import Synchronization

/// Numbers the jobs that are given to this process.
private let deliveries = Atomic<UInt64>(0)

/// Takes the jobs that a ``WorkerHandle`` receives, on the handle's thread.
final class JobReceiver {
    private let server: JobServer
    private let answers: Interrupter
    private let serve: (Job) -> JobResult
    /// Ends a wait of the handle.
    var interruption: @Sendable () -> Void = {}
    /// Why the last answer was not sent.
    var answerError: GearmanError?
    /// The last job.
    private(set) var lastJob: Job?

    /// Makes a receiver.
    ///
    /// - Parameters:
    ///   - server: Where the jobs come from.
    ///   - answers: Ends the sending of an answer that the job server does not take.
    ///   - serve: Does a job; may block.
    init(server: JobServer, answers: Interrupter, serve: @escaping (Job) -> JobResult) {
        self.server = server
        self.answers = answers
        self.serve = serve
    }

    /// Does one job and answers it.
    fileprivate func receive(_ job: UnsafeMutablePointer<gearman_job_st>) -> gearman_return_t {
        let received = Job(
            function: text(gearman_job_function_name(job)), handle: text(gearman_job_handle(job)),
            unique: text(gearman_job_unique(job)),
            // An empty workload is a null pointer.
            workload: Array(
                UnsafeRawBufferPointer(start: gearman_job_workload(job), count: gearman_job_workload_size(job))),
            server: server, delivery: deliveries.add(1, ordering: .relaxed).newValue)
        lastJob = received.withoutWorkload
        let result = serve(received)
        let code = answers.whileWaiting(interruptedBy: interruption) { send(result, for: job) }
        switch code {
        case GEARMAN_SUCCESS?: return GEARMAN_SUCCESS
        case let code?: return lost(code)
        case nil:
            // Already interrupted: what goes out without a wait goes out.
            interruption()
            let code = send(result, for: job)
            return code == GEARMAN_SUCCESS ? code : lost(code)
        }
    }

    private func send(_ result: JobResult, for job: UnsafeMutablePointer<gearman_job_st>) -> gearman_return_t {
        switch result {
        case .complete(let bytes):
            bytes.withUnsafeBytes { gearman_job_send_complete(job, $0.count > 0 ? $0.baseAddress : nil, $0.count) }
        case .fail:
            gearman_job_send_fail(job)
        }
    }

    /// Keeps libgearman from sending once more: it takes this code to mean that there is nobody to send to.
    private func lost(_ code: gearman_return_t) -> gearman_return_t {
        answerError = GearmanError(code, server: server)
        return GEARMAN_LOST_CONNECTION
    }
}

/// The `gearman_worker_fn` of every worker; its context is a ``JobReceiver`` that the handle keeps.
func receiveJob(
    _ job: UnsafeMutablePointer<gearman_job_st>?, _ context: UnsafeMutableRawPointer?,
    _ resultSize: UnsafeMutablePointer<Int>?, _ code: UnsafeMutablePointer<gearman_return_t>?
) -> UnsafeMutableRawPointer? {
    resultSize?.pointee = 0
    guard let job, let context else {
        code?.pointee = GEARMAN_WORK_FAIL
        return nil
    }
    code?.pointee = Unmanaged<JobReceiver>.fromOpaque(context).takeUnretainedValue().receive(job)
    return nil
}

private func text(_ pointer: UnsafePointer<CChar>?) -> String {
    pointer.map { String(cString: $0) } ?? ""
}

extension Job {
    /// The job as it is kept until its answer has arrived.
    fileprivate var withoutWorkload: Job {
        Job(function: function, handle: handle, unique: unique, workload: [], server: server, delivery: delivery)
    }
}
