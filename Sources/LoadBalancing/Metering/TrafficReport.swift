public import CivilTime
import JSON

/// What METRICS reports: what passed through each balancer in a period that follows on the one before.
public struct TrafficReport: Sendable, Hashable {
    /// One balancer's share.
    public struct Row: Sendable, Hashable {
        /// The balancer.
        public let balancer: BalancerKey
        /// What passed.
        public let traffic: TrafficCounters

        /// Creates a row.
        public init(balancer: BalancerKey, traffic: TrafficCounters) {
            self.balancer = balancer
            self.traffic = traffic
        }
    }

    /// When the period began.
    public let start: UTCTime
    /// When it ended; not before its start, whatever the clock did meanwhile.
    public let end: UTCTime
    /// The balancers of the host in their order, then those that are gone and still have something to report.
    public let rows: [Row]

    /// The sum over the rows.
    public var total: TrafficCounters { rows.reduce(into: .zero) { $0 += $1.traffic } }

    /// Creates a report.
    public init(start: UTCTime, end: UTCTime, rows: [Row]) {
        self.start = start
        self.end = end
        self.rows = rows
    }
}

extension JSONValue {
    /// The rows of METRICS.
    init(traffic rows: [TrafficReport.Row]) {
        self = .array(
            rows.map { row in
                var object = JSONObject()
                object["protocol"] = .string(row.balancer.protocol.lowercase)
                object["bytes_out"] = JSONValue(row.traffic.bytesOut)
                object["id"] = row.balancer.id.map { .string($0.description) }
                object["bytes_in"] = JSONValue(row.traffic.bytesIn)
                object["connections"] = JSONValue(row.traffic.connections)
                if row.balancer.protocol == .http { object["requests"] = JSONValue(row.traffic.requests) }
                return .object(object)
            })
    }

    init(_ number: UInt64) { self = .number(JSONNumber(number)) }
}
