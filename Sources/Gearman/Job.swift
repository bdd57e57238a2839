/// One job that a job server gave to a ``Worker``.
public struct Job: Sendable {
    /// The function that the client asked for.
    public let function: String
    /// The job server's name for the job, such as `H:host:42`.
    public let handle: String
    /// The client's name for the job; empty when it gave none.
    public let unique: String
    /// What the client sent; may be empty, and may hold any bytes.
    public let workload: [UInt8]
    /// The job server that the job came from.
    public let server: JobServer

    /// A number that no other job has that was given to this process, not even the same job when it comes again.
    public let delivery: UInt64

    /// Describes a job; for tests of handlers.
    public init(
        function: String, handle: String, unique: String, workload: [UInt8], server: JobServer, delivery: UInt64 = 0
    ) {
        self.function = function
        self.handle = handle
        self.unique = unique
        self.workload = workload
        self.server = server
        self.delivery = delivery
    }
}
