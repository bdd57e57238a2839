import CivilTime
public import JSON

extension TrafficLedger {
    /// What ``init(json:)`` reads.
    public var json: JSONValue {
        var object = JSONObject()
        object["start"] = .number(Int(start.microseconds))
        object["adoptsUntil"] = adoptsUntil.map { .number(Int($0)) }
        object["unreported"] = Self.rows(unreported)
        object["processes"] = .array(
            lastSeen.sorted { ($0.key.start, $0.key.id) < ($1.key.start, $1.key.id) }.map { process, counters in
                [
                    "id": .number(Int(process.id)), "start": .number(Int(process.start)),
                    "balancers": Self.rows(counters),
                ]
            })
        object["prepared"] = .array(
            prepared.map { prepared in
                [
                    "server": .string(prepared.job.server), "handle": .string(prepared.job.handle),
                    "unique": .string(prepared.job.unique), "isLost": .bool(prepared.isLost),
                    "start": .number(Int(prepared.report.start.microseconds)),
                    "end": .number(Int(prepared.report.end.microseconds)),
                    "balancers": .array(prepared.report.rows.map { Self.row($0.balancer, $0.traffic) }),
                ]
            })
        return .object(object)
    }

    /// Reads what ``json`` wrote; nil when it is something else.
    public init?(json: JSONValue) {
        guard let start = json["start"]?.integer, let unreported = Self.rows(json["unreported"]),
            let processes = json["processes"]?.array, let prepared = json["prepared"]?.array
        else { return nil }
        self.init(start: UTCTime(microseconds: start))
        adoptsUntil = json["adoptsUntil"]?.integer
        self.unreported = Self.counters(unreported)
        for process in processes {
            guard let id = process["id"]?.integer.flatMap({ Int32(exactly: $0) }),
                let start = process["start"]?.integer,
                let rows = Self.rows(process["balancers"])
            else { return nil }
            lastSeen[Process(id: id, start: start)] = Self.counters(rows)
        }
        for entry in prepared {
            guard let server = entry["server"]?.string, let handle = entry["handle"]?.string,
                let unique = entry["unique"]?.string, case .bool(let isLost)? = entry["isLost"],
                let start = entry["start"]?.integer, let end = entry["end"]?.integer,
                let rows = Self.rows(entry["balancers"])
            else { return nil }
            self.prepared.append(
                Prepared(
                    job: JobIdentity(server: server, handle: handle, unique: unique),
                    report: TrafficReport(
                        start: UTCTime(microseconds: start), end: UTCTime(microseconds: end), rows: rows),
                    isLost: isLost))
        }
    }

    private static func rows(_ counters: [BalancerKey: TrafficCounters]) -> JSONValue {
        .array(counters.sorted { $0.key.description < $1.key.description }.map(row))
    }

    private static func row(_ balancer: BalancerKey, _ traffic: TrafficCounters) -> JSONValue {
        var object = JSONObject()
        object["protocol"] = .string(balancer.protocol.lowercase)
        object["id"] = balancer.id.map { .string($0.description) }
        object["in"] = JSONValue(traffic.bytesIn)
        object["out"] = JSONValue(traffic.bytesOut)
        object["connections"] = JSONValue(traffic.connections)
        object["requests"] = JSONValue(traffic.requests)
        return .object(object)
    }

    private static func rows(_ value: JSONValue?) -> [TrafficReport.Row]? {
        guard let array = value?.array else { return nil }
        var rows: [TrafficReport.Row] = []
        for row in array {
            guard let key = BalancerKey(protocol: row["protocol"]?.string, id: row["id"]?.string),
                let bytesIn = row["in"]?.count, let bytesOut = row["out"]?.count,
                let connections = row["connections"]?.count, let requests = row["requests"]?.count
            else { return nil }
            rows.append(
                TrafficReport.Row(
                    balancer: key,
                    traffic: TrafficCounters(
                        bytesIn: bytesIn, bytesOut: bytesOut, connections: connections, requests: requests)))
        }
        return rows
    }

    private static func counters(_ rows: [TrafficReport.Row]) -> [BalancerKey: TrafficCounters] {
        rows.reduce(into: [:]) { $0[$1.balancer, default: .zero] += $1.traffic }
    }
}

extension BalancerKey {
    /// Reads what ``description`` wrote: `http`, or `http-15`; nil when it is something else.
    public init?(parsing text: String) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        self.init(protocol: parts.first, id: parts.count > 1 ? parts[1] : nil)
    }

    fileprivate init?(protocol word: String?, id: String?) {
        guard let word, let kind = BalancerProtocol(word: word) else { return nil }
        guard let id else {
            self.init(protocol: kind, id: nil)
            return
        }
        guard let id = BalancerID(validating: id) else { return nil }
        self.init(protocol: kind, id: id)
    }
}

extension JSONValue {
    fileprivate var integer: Int64? {
        guard case .number(let number) = self else { return nil }
        return Int64(number.description)
    }

    fileprivate var count: UInt64? {
        guard case .number(let number) = self else { return nil }
        return UInt64(number.description)
    }
}
