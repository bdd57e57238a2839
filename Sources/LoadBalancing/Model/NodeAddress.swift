/// Where a node is: an IPv4 or IPv6 address, or the name of a host.
public enum NodeAddress: CheckedText {
    /// An address of one host.
    case ip(IPAddress)

    /// A name that a resolver has to turn into an address before it is used.
    case host(HostName)

    /// Reads an address or a host name.
    ///
    /// Returns nil for `0.0.0.0` and `::` too: as a server's address HAProxy takes them for "wherever the client wanted
    /// to go" (manual, section 4.2, `server`), which would make the balancer an open proxy.
    public init?(validating text: String) {
        if let address = IPAddress(validating: text) {
            guard !address.isUnspecified else { return nil }
            self = .ip(address)
        } else if let name = HostName(validating: text) {
            self = .host(name)
        } else {
            return nil
        }
    }

    /// The canonical address, or the name.
    public var description: String {
        switch self {
        case .ip(let address): address.description
        case .host(let name): name.description
        }
    }
}
