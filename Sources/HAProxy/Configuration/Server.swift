/// A server of a backend.
///
/// See section 5.2 of the Configuration Manual. What is nil is not written.
public struct Server: Hashable, Sendable {
    /// A way to find the address of a host name when HAProxy starts (`init-addr`).
    public enum InitialAddress: String, Hashable, Sendable {
        /// The one in the server state file.
        case last
        /// The resolver of the C library.
        case libc
        /// None: the server starts without an address, and down.
        case none
    }

    /// Its name, unique in its backend.
    public var name: ServerName
    /// Its address.
    public var address: Address
    /// Its port.
    public var port: Port
    /// Its share of the load.
    public var weight: Weight
    /// Whether it gets load only when no other is up.
    public var isBackup = false
    /// Whether it starts in maintenance, without load.
    public var isDisabled = false
    /// Its health checks; without them it counts as up.
    public var check: ServerCheck?
    /// How many connections it takes at a time; nil or 0 sets no limit.
    public var maximumConnections: Count?
    /// Ways to find the address of a host name, tried in order; empty leaves HAProxy's own, which refuses to start when
    /// the name cannot be resolved.
    public var initialAddress: [InitialAddress] = []
    /// The value that ``CookiePersistence`` without a dynamic key gives to this server's clients.
    public var cookieValue: Word?

    /// Creates a server.
    public init(
        name: ServerName, address: Address, port: Port, weight: Weight = .standard, check: ServerCheck? = nil
    ) {
        self.name = name
        self.address = address
        self.port = port
        self.weight = weight
        self.check = check
    }
}

/// How often a server is checked, and what follows from it (section 5.2, `check`).
///
/// What is nil is not written.
public struct ServerCheck: Hashable, Sendable {
    /// The time between two checks; HAProxy's own is 2 s.
    public var interval: Milliseconds?
    /// The time between two checks while the state is changing.
    public var fastInterval: Milliseconds?
    /// The time between two checks of a server that is down.
    public var downInterval: Milliseconds?
    /// How many good checks in a row bring it up; HAProxy's own is 2.
    public var rise: Count?
    /// How many bad checks in a row take it down; HAProxy's own is 3.
    public var fall: Count?
    /// Where checks go when it is not the server's own port.
    public var port: Port?

    /// Creates a rule.
    public init(
        interval: Milliseconds? = nil, fastInterval: Milliseconds? = nil, downInterval: Milliseconds? = nil,
        rise: Count? = nil, fall: Count? = nil, port: Port? = nil
    ) {
        self.interval = interval
        self.fastInterval = fastInterval
        self.downInterval = downInterval
        self.rise = rise
        self.fall = fall
        self.port = port
    }
}
