/// How things stand between a ``Worker`` and one of its job servers.
public struct JobServerStatus: Sendable {
    /// The job server.
    public let server: JobServer
    /// Whether the worker's function is registered there, on one connection at least.
    public let isConnected: Bool
    /// Since when ``isConnected`` is what it is.
    public let since: ContinuousClock.Instant
    /// How many connections are registered, those with a job in hand included.
    public let connections: Int
    /// How many connections have a job in hand.
    public let jobs: Int
    /// Why the last attempt failed or the last connection ended; stays after a reconnection.
    public let lastError: GearmanError?
}
