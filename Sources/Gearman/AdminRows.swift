/// One function that a job server knows, as its `status` command tells.
public struct FunctionStatus: Hashable, Sendable {
    /// The function's name.
    public let function: String
    /// How many jobs are waiting or running.
    public let jobs: Int
    /// How many of the jobs are running.
    public let running: Int
    /// How many connections of workers have registered the function, busy ones included.
    public let workers: Int
}

/// One connection of a job server, as its `workers` command tells; clients' connections are listed too.
public struct ConnectedWorker: Hashable, Sendable {
    /// The job server's descriptor for the connection.
    public let descriptor: Int
    /// The address of the other end.
    public let address: String
    /// What the other end calls itself; `-` when it did not say.
    public let identifier: String
    /// The functions that it has registered.
    public let functions: [String]
}
