/// What a balancer speaks with its clients and nodes.
public enum BalancerProtocol: String, Sendable, Hashable, Word {
    /// Requests and responses, with cookie persistence; port 80 unless another is given.
    case http = "HTTP"

    /// A stream of bytes, with persistence by source address.
    case tcp = "TCP"

    /// TCP for a Galera cluster: one node takes all traffic, the others are backups.
    case galera = "GALERA"

    /// The port when the client names none; nil when it has to.
    public var defaultPort: Port? { self == .http ? 80 : nil }

    /// The word in lower case, as STATS, METRICS and the names of proxies write it.
    public var lowercase: String { rawValue.lowercased() }
}
