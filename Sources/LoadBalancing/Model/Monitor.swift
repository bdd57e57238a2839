/// How the health of a balancer's nodes is checked.
public struct Monitor: Sendable, Hashable {
    /// What a check does.
    public enum Kind: String, Sendable, Hashable, Word {
        /// It opens a TCP connection.
        case connect = "CONNECT"

        /// It asks for ``Monitor/path`` and wants a 2xx or 3xx answer.
        case http = "HTTP"
    }

    /// What a check does.
    public let kind: Kind

    /// The time between two checks, in seconds.
    public let delay: Seconds

    /// How long a check may take, in seconds; not above ``delay``.
    public let timeout: Seconds

    /// How many checks in a row turn a node up or down.
    public let attempts: Attempts

    /// What an ``Kind/http`` check asks for; a ``Kind/connect`` check has no use for it.
    public let path: CheckPath

    /// Creates a monitor, or returns nil when `timeout` is above `delay`.
    public init?(kind: Kind, delay: Seconds, timeout: Seconds, attempts: Attempts, path: CheckPath = "/") {
        guard timeout <= delay else { return nil }
        self.kind = kind
        self.delay = delay
        self.timeout = timeout
        self.attempts = attempts
        self.path = path
    }
}
