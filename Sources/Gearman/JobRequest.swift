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
