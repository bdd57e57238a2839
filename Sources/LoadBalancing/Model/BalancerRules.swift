/// The rules that hold between the balancers of one host.
enum BalancerRules {
    static func check(_ balancers: [LoadBalancer]) throws(MessageError) {
        var keys = Set<BalancerKey>()
        var ids = Set<BalancerID>()
        var listeners: [Port: Listeners] = [:]
        for (index, balancer) in balancers.enumerated() {
            if let id = balancer.id {
                guard ids.insert(id).inserted else {
                    throw conflict(index, "id", "Load balancer 'id' '\(id)' is already defined.")
                }
            } else {
                guard keys.insert(balancer.key).inserted else {
                    throw conflict(index, "protocol", "Protocol '\(balancer.protocol.lowercase)' is already defined.")
                }
            }
            if let other = listeners[balancer.port, default: Listeners()].add(balancer.address, of: index) {
                throw conflict(
                    index, "port",
                    "Port \(balancer.port) of address '\(balancer.address)' is already taken by load balancer "
                        + "'\(balancers[other].key)' at '\(balancers[other].address)'.")
            }
        }
    }

    private static func conflict(_ balancer: Int, _ field: String, _ text: String) -> MessageError {
        MessageError(.conflict, text, at: MessageLocation(balancer: balancer, field: field))
    }
}

/// The addresses that are listened on at one port.
///
/// Two listeners that one connection could reach are no error to a kernel with `SO_REUSEPORT`, which HAProxy uses: it
/// would choose between them in silence. `0.0.0.0` is reached at every IPv4 address, and `::`, because HAProxy opens it
/// for both families, at every address.
private struct Listeners {
    private var owners: [BindAddress: Int] = [:]
    private var first: Int?
    private var firstIPv4: Int?

    /// Adds an address, or returns the owner of one that a connection to it could reach as well.
    mutating func add(_ address: BindAddress, of owner: Int) -> Int? {
        if let other = overlap(with: address) { return other }
        owners[address] = owner
        first = first ?? owner
        if case .v4 = address.ip { firstIPv4 = firstIPv4 ?? owner }
        return nil
    }

    private func overlap(with address: BindAddress) -> Int? {
        if let other = owners[address] ?? owners[.everything] { return other }
        switch address.ip {
        case .v6(0, 0): return first
        case .v6: return nil
        case .v4(0): return firstIPv4
        case .v4: return owners[.any]
        }
    }
}

extension BindAddress {
    fileprivate static let everything = BindAddress(.v6(0, 0))
}
