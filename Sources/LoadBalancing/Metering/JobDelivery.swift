/// What tells a job from every other, also when it is delivered again.
public struct JobIdentity: Sendable, Hashable, CustomStringConvertible {
    /// The job server.
    public let server: String
    /// The job server's name for the job; a server that was started anew gives the same names again.
    public let handle: String
    /// The client's name for the job; may be empty.
    public let unique: String

    /// Creates an identity.
    public init(server: String, handle: String, unique: String) {
        self.server = server
        self.handle = handle
        self.unique = unique
    }

    /// The handle, and where it comes from.
    public var description: String { "\(handle) of \(server)" }
}

/// One time that a job was handed to this process.
public struct JobDelivery: Sendable, Hashable {
    /// The job.
    public let job: JobIdentity
    /// A number that no other delivery to this process has.
    public let number: UInt64

    /// Creates a delivery.
    public init(job: JobIdentity, number: UInt64) {
        self.job = job
        self.number = number
    }
}
