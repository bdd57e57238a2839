import CommandKit
import JSON
import LoadBalancing

/// The lines of a table that a reply makes.
enum ReplyRows {
    static let responseColumns = [Table.Column("WORKER"), Table.Column("RESPONSE"), Table.Column("DETAILS")]
    static let nodeColumns = [
        Table.Column("WORKER"), Table.Column("BALANCER"), Table.Column("NODE"), Table.Column("STATUS"),
        Table.Column("WEIGHT", isRightAligned: true), Table.Column("SESSIONS", isRightAligned: true),
        Table.Column("CHECK"),
    ]

    static let trafficColumns = [
        Table.Column("WORKER"), Table.Column("BALANCER"), Table.Column("BYTES OUT", isRightAligned: true),
        Table.Column("BYTES IN", isRightAligned: true), Table.Column("CONNECTIONS", isRightAligned: true),
        Table.Column("REQUESTS", isRightAligned: true), Table.Column("SINCE (UTC)"), Table.Column("UNTIL (UTC)"),
    ]

    /// A line a balancer of METRICS; a reply without a report has a line of its own.
    static func traffic(_ reply: WorkerReply) -> [[Table.Cell]] {
        guard case .answered(let value) = reply.outcome, hasTraffic(reply),
            let balancers = value["loadBalancers"]?.array
        else { return responses(reply).map { cells in [cells[0], cells[1], cells[2], "", "", "", "", ""] } }
        return balancers.map { balancer in
            let name = [text(balancer["protocol"]), text(balancer["id"])].filter { !$0.isEmpty }
            let numbers = ["bytes_out", "bytes_in", "connections", "requests"].map { Table.Cell(text(balancer[$0])) }
            let period = ["utc_start", "utc_end"].map { Table.Cell(text(value[$0])) }
            return [Table.Cell(reply.worker), Table.Cell(name.joined(separator: "-"))] + numbers + period
        }
    }

    /// Whether a reply has a report of METRICS.
    static func hasTraffic(_ reply: WorkerReply) -> Bool {
        guard case .answered(let value) = reply.outcome else { return false }
        return value["utc_end"] != nil && value["hpcs_response"]?.string == "PASS"
    }

    /// A line for the reply as a whole.
    static func responses(_ reply: WorkerReply) -> [[Table.Cell]] {
        switch reply.outcome {
        case .silent(let reason):
            return [[Table.Cell(reply.worker), Table.Cell("none", style: .red), Table.Cell(reason)]]
        case .answered(let value):
            let response = value["hpcs_response"]?.string ?? "?"
            let style: Style = response == "PASS" ? .green : .red
            return [[Table.Cell(reply.worker), Table.Cell(response, style: style), Table.Cell(details(value))]]
        }
    }

    /// A line a node; a reply without nodes has a line of its own.
    static func nodes(_ reply: WorkerReply) -> [[Table.Cell]] {
        guard case .answered(let value) = reply.outcome, let nodes = value["nodes"]?.array else {
            return responses(reply).map { cells in [cells[0], "", "", cells[1], "", "", cells[2]] }
        }
        return nodes.map { node in
            let status = text(node["status"])
            let balancer = [text(node["protocol"]), text(node["loadBalancer"])].filter { !$0.isEmpty }
            return [
                Table.Cell(reply.worker), Table.Cell(balancer.joined(separator: "-")), Table.Cell(text(node["id"])),
                Table.Cell(status, style: status == "UP" ? .green : .red), Table.Cell(text(node["weight"])),
                Table.Cell(text(node["sessions"])), Table.Cell(text(node["check"])),
            ]
        }
    }

    /// What a reply says besides its response, in a line.
    private static func details(_ value: JSONValue) -> String {
        if let error = value["hpcs_error"]?.string { return error }
        if let release = value["release"]?.string { return "HAProxy \(release)" }
        if let checks = value["checks"]?.array { return diagnosis(value, checks) }
        return ""
    }

    /// What DIAGNOSTICS found to be wrong.
    private static func diagnosis(_ value: JSONValue, _ checks: [JSONValue]) -> String {
        func hasFailed(_ value: JSONValue) -> Bool { value["status"]?.string == "FAIL" }
        var faults = checks.filter(hasFailed).map { "\(text($0["name"])): \(text($0["detail"]))" }
        faults += (value["gearman"]?.array ?? []).filter(hasFailed).map { "no job server at \(text($0["host"]))" }
        if value["network"]?.string == "FAIL" { faults.append("the network cannot be reached") }
        return faults.isEmpty ? "\(checks.count) checks passed" : faults.joined(separator: "; ")
    }

    private static func text(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null: ""
        case .string(let text): text
        case let value?: value.description
        }
    }
}
