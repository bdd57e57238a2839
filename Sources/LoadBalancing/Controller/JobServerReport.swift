/// A job server, and whether the worker is connected to it, as DIAGNOSTICS reports it.
public struct JobServerReport: Sendable, Hashable {
    /// The server as it was configured: `localhost:4730`.
    public let host: String

    /// Whether the worker is connected to it now.
    public let isConnected: Bool

    /// Creates a row.
    public init(host: String, isConnected: Bool) {
        self.host = host
        self.isConnected = isConnected
    }
}
