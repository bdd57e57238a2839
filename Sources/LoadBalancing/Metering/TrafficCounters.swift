/// What passed through a balancer: sums that only grow, up to the largest number and not beyond it.
public struct TrafficCounters: Sendable, Hashable {
    /// Bytes from clients.
    public var bytesIn: UInt64
    /// Bytes to clients.
    public var bytesOut: UInt64
    /// Connections, or sessions in the words of HAProxy.
    public var connections: UInt64
    /// HTTP requests; zero where there are none.
    public var requests: UInt64

    /// Nothing.
    public static let zero = TrafficCounters(bytesIn: 0, bytesOut: 0, connections: 0, requests: 0)

    /// Creates counters.
    public init(bytesIn: UInt64, bytesOut: UInt64, connections: UInt64, requests: UInt64) {
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.connections = connections
        self.requests = requests
    }

    /// Adds to each.
    public static func += (left: inout TrafficCounters, right: TrafficCounters) {
        left.bytesIn.add(right.bytesIn)
        left.bytesOut.add(right.bytesOut)
        left.connections.add(right.connections)
        left.requests.add(right.requests)
    }

    /// What was added since an earlier reading; nil when one of them has fallen since, so that they were set to zero.
    public func growth(since earlier: TrafficCounters) -> TrafficCounters? {
        guard bytesIn >= earlier.bytesIn, bytesOut >= earlier.bytesOut, connections >= earlier.connections,
            requests >= earlier.requests
        else { return nil }
        return TrafficCounters(
            bytesIn: bytesIn - earlier.bytesIn, bytesOut: bytesOut - earlier.bytesOut,
            connections: connections - earlier.connections, requests: requests - earlier.requests)
    }
}

extension UInt64 {
    fileprivate mutating func add(_ other: UInt64) {
        let (sum, isTooLarge) = addingReportingOverflow(other)
        self = isTooLarge ? .max : sum
    }
}
