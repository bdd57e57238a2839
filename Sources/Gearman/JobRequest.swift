/// One job for ``Client/submitAll(_:timeout:)``.
public struct JobRequest: Hashable, Sendable {
    /// The function to run.
    public var function: String
    /// What the worker gets; may be empty, and may hold any bytes.
    public var workload: [UInt8]

    /// Describes a job.
    public init(function: String, workload: [UInt8]) {
        self.function = function
        self.workload = workload
    }
}

/// One answer of ``Client/submitAll(_:timeout:)``.
public struct JobReply: Sendable {
    /// The position of the request among those that were submitted.
    public let index: Int
    /// The function of the request.
    public let function: String
    /// The worker's result, or why there is none.
    public let result: Result<[UInt8], GearmanError>
}
