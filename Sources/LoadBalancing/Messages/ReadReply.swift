import JSON

// How the answers to reads describe what the driver found.
extension JSONValue {
    /// The rows of STATS, one a node, the nodes of one balancer after those of the other.
    init(statistics: [BalancerStatistics]) {
        self = .array(
            statistics.flatMap { balancer in
                balancer.nodes.map { JSONValue(node: $0, of: balancer.balancer) }
            })
    }

    private init(node: NodeStatistics, of balancer: BalancerKey) {
        var row = JSONObject()
        row["id"] = .string(node.node.description)
        row[Field.status] = node.isUp ? "UP" : "DOWN"
        row["protocol"] = .string(balancer.protocol.lowercase)
        row["loadBalancer"] = balancer.id.map { .string($0.description) }
        row["check"] = node.check.map { .string($0) }
        row["weight"] = .number(node.weight)
        row["sessions"] = .number(node.sessions)
        row["last_change"] = node.lastChange.map { .number($0) }
        self = .object(row)
    }

    /// What PLAN tells.
    init(plan: ChangePlan) {
        self = [
            "reload": .bool(!plan.reloadReasons.isEmpty),
            "reasons": .array(plan.reloadReasons.map { .string($0) }),
            "steps": .array(plan.steps.map { ["kind": .string($0.kind.rawValue), "text": .string($0.text)] }),
            "configuration": .string(plan.configuration),
        ]
    }

    /// The rows of DIAGNOSTICS about job servers.
    init(jobServers: [JobServerReport]) {
        self = .array(jobServers.map { ["host": .string($0.host), Field.status: JSONValue(passed: $0.isConnected)] })
    }

    /// The rows of DIAGNOSTICS about what the driver needs.
    init(checks: [DiagnosticCheck]) {
        self = .array(
            checks.map { check in
                [
                    "name": .string(check.name), Field.status: JSONValue(passed: check.passed),
                    "detail": .string(check.detail),
                ]
            })
    }

    /// `PASS` or `FAIL`.
    init(passed: Bool) {
        self = .string((passed ? Reply.Response.pass : .fail).rawValue)
    }
}
