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
}
