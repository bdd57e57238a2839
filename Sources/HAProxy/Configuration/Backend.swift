/// A section `backend`: the servers that connections go to.
///
/// See section 4 of the Configuration Manual. What is nil is not written.
public struct Backend: Hashable, Sendable {
    /// How a server is chosen (section 4.2, `balance`).
    public enum Balance: String, Hashable, Sendable {
        /// In turn, by weight.
        case roundRobin = "roundrobin"
        /// The one with the fewest connections, by weight.
        case leastConnections = "leastconn"
    }

    /// A line of comment above the section.
    public var comment: Comment?
    /// Its name, unique among backends.
    public var name: ProxyName
    /// Its mode, the same as that of the frontends that use it.
    public var mode: Mode
    /// How a server is chosen.
    public var balance: Balance
    /// Whether the client's address is added to requests as `X-Forwarded-For` (`option forwardfor`, mode http).
    public var forwardsClientAddress = false
    /// Clients stay with their server by a cookie (mode http).
    public var cookie: CookiePersistence?
    /// Clients stay with their server by their address.
    public var stickTable: StickTable?
    /// How servers are checked; nil checks that they accept connections.
    public var httpCheck: HTTPCheck?
    /// How often a failed connection to a server is tried again.
    public var retries: Count?
    /// The limits on waiting.
    public var timeouts = Timeouts()
    /// Whether servers start in the state that ``Global/serverStateFile`` has for them.
    public var loadsServerState = false
    /// Its servers, in order.
    public var servers: [Server]

    /// Creates a backend.
    public init(name: ProxyName, mode: Mode, balance: Balance = .roundRobin, servers: [Server] = []) {
        self.name = name
        self.mode = mode
        self.balance = balance
        self.servers = servers
    }
}

/// Stickiness by a cookie of the balancer's own: `cookie NAME insert indirect nocache` (section 4.2, `cookie`).
///
/// The client gets the cookie with its first response, the servers never see it, and caches do not keep it.
public struct CookiePersistence: Hashable, Sendable {
    /// The cookie's name.
    public var name: Word
    /// The secret from which servers get their cookie's value (`dynamic`, `dynamic-cookie-key`), so that servers added at
    /// run time have one too; nil uses ``Server/cookieValue``.
    public var dynamicKey: Word?

    /// Creates a rule.
    public init(name: Word, dynamicKey: Word? = nil) {
        self.name = name
        self.dynamicKey = dynamicKey
    }
}

/// Stickiness by the client's address: `stick-table` and `stick on src` (section 4.2).
public struct StickTable: Hashable, Sendable {
    /// What addresses the table can hold.
    public enum Key: String, Hashable, Sendable {
        /// IPv4, and IPv6 addresses that stand for IPv4 ones.
        case ipv4 = "ip"
        /// IPv6, and IPv4.
        case ipv6 = "ipv6"
    }

    /// What addresses it can hold.
    public var key: Key
    /// The number of entries, each about 50 bytes and the key.
    public var size: Count
    /// How long an entry lasts after its last use.
    public var expiry: Milliseconds

    /// Creates a table.
    public init(key: Key = .ipv4, size: Count, expiry: Milliseconds) {
        self.key = key
        self.size = size
        self.expiry = expiry
    }
}

/// A health check by an HTTP request: `option httpchk` (section 4.2).
public struct HTTPCheck: Hashable, Sendable {
    /// The request's method.
    public enum Method: String, Hashable, Sendable {
        /// A method of RFC 9110, section 9.3.
        case get = "GET"
        /// A method of RFC 9110, section 9.3, whose response has no body.
        case head = "HEAD"
        /// A method of RFC 9110, section 9.3.
        case options = "OPTIONS"
    }

    /// What the response's status has to be (`http-check expect status`).
    public struct ExpectedStatus: Hashable, Sendable {
        let first: UInt16
        let last: UInt16

        /// Checks a range of status codes.
        ///
        /// - Throws: ``HAProxyError`` with the code `invalidValue` when it is not within 100 to 599.
        public init(_ codes: ClosedRange<Int>) throws(HAProxyError) {
            guard (100...599).contains(codes.lowerBound), (100...599).contains(codes.upperBound) else {
                throw HAProxyError(.invalidValue, "\(codes) are not HTTP status codes: they have to be 100 to 599")
            }
            first = UInt16(codes.lowerBound)
            last = UInt16(codes.upperBound)
        }
    }

    /// The request's method.
    public var method: Method
    /// The request's path.
    public var path: RequestPath
    /// What the response's status has to be; nil takes 2xx and 3xx.
    public var expectedStatus: ExpectedStatus?

    /// Creates a check.
    public init(method: Method = .get, path: RequestPath, expectedStatus: ExpectedStatus? = nil) {
        self.method = method
        self.path = path
        self.expectedStatus = expectedStatus
    }
}
