/// What tells a balancer from the others of its host.
///
/// No two balancers share an identifier, and of those without one no two share a protocol.
public struct BalancerKey: Sendable, Hashable, CustomStringConvertible {
    /// What the balancer speaks.
    public let `protocol`: BalancerProtocol

    /// The identifier that the client gave, if it gave one.
    public let id: BalancerID?

    /// Creates a key.
    public init(protocol: BalancerProtocol, id: BalancerID?) {
        self.protocol = `protocol`
        self.id = id
    }

    /// The key in one word: `http`, or `http-15` with an identifier.
    public var description: String {
        id.map { "\(`protocol`.lowercase)-\($0)" } ?? `protocol`.lowercase
    }
}
