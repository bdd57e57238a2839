/// One balancer of a host: where it listens, what it speaks, and the nodes behind it.
public struct LoadBalancer: Sendable, Hashable {
    /// The identifier that the client gave, if it gave one.
    public let id: BalancerID?

    /// What the client calls it: any text, which therefore never reaches a configuration.
    public let name: String?

    /// What it speaks.
    public let `protocol`: BalancerProtocol

    /// The address it listens on.
    public let address: BindAddress

    /// The port it listens on.
    public let port: Port

    /// How it chooses a node.
    public let algorithm: Algorithm

    /// How its nodes are checked; without one they are connected to every 30 seconds.
    public let monitor: Monitor?

    /// How patient it is.
    public let options: BalancerOptions

    /// Its nodes: at least one, their keys unique, and with ``BalancerProtocol/galera`` at most one not a backup.
    ///
    /// Either all have identifiers, or all have their positions in this list, from 1.
    public let nodes: [Node]

    /// Creates a balancer.
    ///
    /// - Throws: ``MessageError`` that names the node when `nodes` break one of the rules stated there.
    public init(
        id: BalancerID? = nil,
        name: String? = nil,
        protocol: BalancerProtocol,
        address: BindAddress = .any,
        port: Port,
        algorithm: Algorithm = .roundRobin,
        monitor: Monitor? = nil,
        options: BalancerOptions = BalancerOptions(),
        nodes: [Node]
    ) throws(MessageError) {
        try NodeRules.check(nodes, for: `protocol`)
        self.id = id
        self.name = name
        self.protocol = `protocol`
        self.address = address
        self.port = port
        self.algorithm = algorithm
        self.monitor = monitor
        self.options = options
        self.nodes = nodes
    }

    /// What tells it from the others of its host.
    public var key: BalancerKey { BalancerKey(protocol: `protocol`, id: id) }
}
