import CivilTime
import JSON
import LoadBalancing
import MessageLog

/// Something that happened on this host, as it is told to whoever reads the events (docs/events.md).
///
/// It has what was asked for in words of the worker's own, and nothing else of a request, so that no secret gets here.
struct WorkerEvent: Sendable {
    /// What stands in `action` for what no request asked for.
    enum Occasion: String {
        case start = "START"
        case stop = "STOP"
        case repair = "REPAIR"
    }

    /// How many steps, reasons and differences an event has in words; a change of a thousand nodes has many.
    static let wordsLimit = 20
    /// How many balancers an event names.
    static let balancersLimit = 1000

    /// The key that a host's events have where no other is set: `Libra.` and its name.
    static func key(of host: String) throws(MessageLogError) -> RoutingKey {
        let words = host.split(separator: ".").map { word in
            String(
                word.prefix(64).map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") ? $0 : "-" })
        }
        return try RoutingKey((["Libra"] + words).joined(separator: "."))
    }

    private var object = JSONObject()

    /// The worker has started, or ends.
    init(_ occasion: Occasion, error: String? = nil) {
        object["action"] = .string(occasion.rawValue)
        object["response"] = error == nil ? "PASS" : "FAIL"
        if let error { object["error"] = .string(error) }
    }

    /// A request was answered.
    init(_ report: ChangeReport) {
        object["action"] = .string(report.action.rawValue)
        setOutcome(error: report.error, balancers: report.balancers, summary: report.summary, report.duration)
        guard let job = report.job else { return }
        var told = JSONObject()
        told["handle"] = .string(job.handle)
        told["server"] = .string(job.server)
        if !job.unique.isEmpty { told["unique"] = .string(job.unique) }
        object["job"] = .object(told)
    }

    /// What was not as it was asked for was put right, or could not be.
    init(_ report: RepairReport) {
        object["action"] = .string(Occasion.repair.rawValue)
        object["differences"] = Self.words(report.differences)
        object["differenceCount"] = .number(report.differences.count)
        setOutcome(
            error: report.error, balancers: report.summary?.balancers ?? [], summary: report.summary, report.duration)
    }

    /// The event as it is sent.
    ///
    /// - Parameters:
    ///   - id: What tells it from every other, also when it arrives twice.
    ///   - time: When it happened.
    ///   - host: This host's name.
    /// - Returns: A JSON object in one line.
    func bytes(id: String, time: UTCTime, host: String) -> [UInt8] {
        var whole = JSONObject()
        whole["id"] = .string(id)
        whole["time"] = .string("\(time)")
        whole["host"] = .string(host)
        for member in object.members { whole[member.key] = member.value }
        return JSONValue.object(whole).bytes()
    }

    private mutating func setOutcome(
        error: String?, balancers: [BalancerKey], summary: ChangeSummary?, _ duration: Duration
    ) {
        object["response"] = error == nil ? "PASS" : "FAIL"
        if let error { object["error"] = .string(error) }
        object["balancers"] = .array(
            balancers.prefix(Self.balancersLimit).map { key in
                var balancer = JSONObject()
                balancer["protocol"] = .string(key.protocol.rawValue)
                if let id = key.id { balancer["id"] = .string(id.description) }
                return .object(balancer)
            })
        if let summary { object["plan"] = Self.plan(summary) }
        object["milliseconds"] = .number(Int(duration / .milliseconds(1)))
    }

    private static func plan(_ summary: ChangeSummary) -> JSONValue {
        func count(_ kind: ChangePlan.Step.Kind) -> JSONValue { .number(summary.steps.count { $0.kind == kind }) }
        return [
            "reload": words(summary.reloadReasons), "add": count(.add), "change": count(.change),
            "remove": count(.remove), "steps": words(summary.steps.map(\.text)),
        ]
    }

    private static func words(_ texts: [String]) -> JSONValue {
        .array(texts.prefix(wordsLimit).map { .string($0) })
    }
}
