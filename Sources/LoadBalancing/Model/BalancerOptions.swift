/// How patient a balancer is with clients and nodes.
public struct BalancerOptions: Sendable, Hashable {
    /// How long a client may be silent, in milliseconds.
    public let clientTimeout: Timeout

    /// How long a node may be silent, in milliseconds.
    public let serverTimeout: Timeout

    /// How long a connection to a node may take, in milliseconds.
    public let connectTimeout: Timeout

    /// How often a failed connection to a node is tried again.
    public let connectRetries: Retries

    /// Creates options; what is left out is 30 seconds and 3 retries.
    public init(
        clientTimeout: Timeout = 30_000,
        serverTimeout: Timeout = 30_000,
        connectTimeout: Timeout = 30_000,
        connectRetries: Retries = 3
    ) {
        self.clientTimeout = clientTimeout
        self.serverTimeout = serverTimeout
        self.connectTimeout = connectTimeout
        self.connectRetries = connectRetries
    }
}
