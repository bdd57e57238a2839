/// The address of this host that a balancer listens on.
public struct BindAddress: CheckedText {
    /// Every IPv4 address of the host: the default.
    public static let any = BindAddress(.v4(0))

    /// The address; `0.0.0.0` means every IPv4 address, and `::` every address of both kinds.
    public let ip: IPAddress

    /// Creates a bind address.
    public init(_ ip: IPAddress) {
        self.ip = ip
    }

    /// Reads an IPv4 or IPv6 address; host names are refused.
    public init?(validating text: String) {
        guard let ip = IPAddress(validating: text) else { return nil }
        self.ip = ip
    }

    /// The canonical address.
    public var description: String { ip.description }

    /// Whether a connection could arrive at both addresses.
    ///
    /// Two listeners on one port of overlapping addresses are not an error to a kernel with `SO_REUSEPORT`: it would
    /// share the traffic between them in silence, so the balancers have to be told apart before that.
    public func overlaps(_ other: BindAddress) -> Bool {
        ip == other.ip || covers(other) || other.covers(self)
    }

    private func covers(_ other: BindAddress) -> Bool {
        switch (ip, other.ip) {
        case (.v6(0, 0), _), (.v4(0), .v4): true
        default: false
        }
    }
}
