/// A section `frontend`: where clients connect.
///
/// See section 4 of the Configuration Manual. What is nil is not written.
public struct Frontend: Hashable, Sendable {
    /// How its log lines look.
    public enum LogFormat: Hashable, Sendable {
        /// `option httplog`.
        case http
        /// `option tcplog`.
        case tcp
    }

    /// A line of comment above the section.
    public var comment: Comment?
    /// Its name, unique among frontends.
    public var name: ProxyName
    /// Its mode.
    public var mode: Mode
    /// Where it listens.
    public var binds: [Bind]
    /// Whether it starts without listening: connections are refused.
    public var isDisabled = false
    /// How its log lines look.
    public var logFormat: LogFormat?
    /// Whether the client's address is added to requests as `X-Forwarded-For` (`option forwardfor`, mode http).
    public var forwardsClientAddress = false
    /// Whether a client whose connection is idle when this process is replaced may make one more request on it; else
    /// HAProxy closes it, and loses a request that arrives meanwhile (`option idle-close-on-response`, mode http).
    public var keepsIdleConnectionsWhenReplaced = false
    /// Whether the bytes of a connection or response are counted about every five seconds while they pass; else HAProxy
    /// counts them when it ends (`option contstats`).
    public var countsContinuously = false
    /// How many connections it takes at a time.
    public var maximumConnections: Count?
    /// Inactivity of the client that ends a connection.
    public var clientTimeout: Milliseconds?
    /// The backend that its connections go to.
    public var defaultBackend: ProxyName?

    /// Creates a frontend.
    public init(name: ProxyName, mode: Mode, binds: [Bind], defaultBackend: ProxyName? = nil) {
        self.name = name
        self.mode = mode
        self.binds = binds
        self.defaultBackend = defaultBackend
    }
}

/// An address and port where a frontend listens (section 4.2, `bind`).
public struct Bind: Hashable, Sendable {
    /// The address; a host name is resolved when HAProxy starts.
    public var address: Address
    /// The port.
    public var port: Port
    /// Whether an IPv6 wildcard leaves IPv4 alone (`v6only`), so that another bind can have it.
    public var isIPv6Only: Bool

    /// Creates a bind.
    public init(_ address: Address, port: Port, isIPv6Only: Bool = false) {
        self.address = address
        self.port = port
        self.isIPv6Only = isIPv6Only
    }
}
