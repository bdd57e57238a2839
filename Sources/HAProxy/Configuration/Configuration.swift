/// A whole HAProxy configuration, as values.
///
/// ```swift
/// var configuration = Configuration()
/// configuration.header = [try Comment("Written by example; edits are overwritten.")]
/// configuration.frontends = [frontend]
/// configuration.backends = [backend]
/// let text = try configuration.rendered()
/// ```
///
/// Sections and what is in them are written in the order in which they are here, so equal values give equal text.
public struct Configuration: Hashable, Sendable {
    /// Lines of comment at the top: who wrote the file, and whether edits last.
    public var header: [Comment] = []
    /// The section `global`.
    public var global = Global()
    /// The section `defaults`.
    public var defaults = Defaults()
    /// The sections `frontend`, in order.
    public var frontends: [Frontend] = []
    /// The sections `backend`, in order.
    public var backends: [Backend] = []

    /// Creates a configuration without proxies.
    public init() {}
}

/// What a proxy understands of what it carries.
public enum Mode: String, Hashable, Sendable {
    /// Bytes.
    case tcp
    /// HTTP requests and responses.
    case http
}

/// The limits on how long a proxy waits (section 4.2, `timeout`); those that are nil are not written.
public struct Timeouts: Hashable, Sendable {
    /// Inactivity of the client.
    public var client: Milliseconds?
    /// How long a connection to a server may take.
    public var connect: Milliseconds?
    /// Inactivity of the server.
    public var server: Milliseconds?
    /// How long a request waits for a free connection; without it, as long as `connect`.
    public var queue: Milliseconds?
    /// How long a health check waits for an answer once it is connected.
    public var check: Milliseconds?

    /// Creates a set of limits.
    public init(
        client: Milliseconds? = nil, connect: Milliseconds? = nil, server: Milliseconds? = nil,
        queue: Milliseconds? = nil, check: Milliseconds? = nil
    ) {
        self.client = client
        self.connect = connect
        self.server = server
        self.queue = queue
        self.check = check
    }
}
