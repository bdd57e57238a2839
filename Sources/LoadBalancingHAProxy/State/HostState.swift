internal import LoadBalancing

/// What was last asked of this host, and done.
struct HostState: Sendable, Equatable {
    /// Where the host is in its life.
    enum Phase: String, Sendable, CaseIterable {
        /// Nothing was asked yet.
        case fresh
        /// Balancers are configured and take traffic.
        case active
        /// Balancers are configured, and their traffic is stopped.
        case suspended
        /// Balancers were deleted.
        case deleted
    }

    var phase: Phase
    /// The balancers of the last UPDATE; empty when fresh or deleted.
    var balancers: [LoadBalancer]

    static let fresh = HostState(phase: .fresh, balancers: [])
    static let deleted = HostState(phase: .deleted, balancers: [])
}
