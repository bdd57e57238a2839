/// What a worker answers to a job.
public enum JobResult: Hashable, Sendable {
    /// The job is done; the bytes go to the client, and there may be none.
    case complete([UInt8])
    /// The job failed (`WORK_FAIL`). The protocol carries no reason with it.
    case fail
}
