/// What became of a worker's answer to a job.
public enum AnswerFate: Hashable, Sendable {
    /// The job server has it: it has answered something that was sent after it.
    case delivered
    /// The connection ended before the job server was known to have it.
    ///
    /// Most often it has not, and gives the job to a worker again, unless it has ended itself or the client has gone. An
    /// answer that arrived in the moment in which the connection ended cannot be told from one that did not.
    case lost
}

/// What a worker answers to a job.
public enum JobResult: Hashable, Sendable {
    /// The job is done; the bytes go to the client, and there may be none.
    case complete([UInt8])
    /// The job failed (`WORK_FAIL`). The protocol carries no reason with it.
    case fail
}
