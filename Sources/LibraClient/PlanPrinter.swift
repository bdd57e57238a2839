import CommandKit
import JSON
import LoadBalancing

/// What PLAN answers, as a list that is read like a diff: `+` is added, `-` removed, `~` changed, `!` forces a reload.
struct PlanPrinter: ReplyPrinter {
    private let output = Terminal.output

    func print(_ reply: WorkerReply) {
        output.write(PlanLines.lines(of: reply).map { visibleText($0) + "\n" }.joined())
    }

    func finish() {}
}

/// The lines that a reply to PLAN makes.
enum PlanLines {
    static func lines(of reply: WorkerReply) -> [String] {
        guard case .answered(let value) = reply.outcome else {
            if case .silent(let reason) = reply.outcome { return ["\(reply.worker): no answer: \(reason)"] }
            return []
        }
        guard let plan = value["plan"] else {
            return ["\(reply.worker): \(value["hpcs_error"]?.string ?? "the reply has no plan")"]
        }
        let reasons = texts(plan["reasons"])
        let steps = plan["steps"]?.array ?? []
        guard reasons.isEmpty else { return ["\(reply.worker): a reload"] + reasons.map { "  ! \($0)" } }
        guard !steps.isEmpty else { return ["\(reply.worker): nothing to do while HAProxy runs"] }
        return ["\(reply.worker): no reload, \(steps.count) \(steps.count == 1 ? "step" : "steps")"]
            + steps.map { "  \(mark($0)) \($0["text"]?.string ?? "?")" }
    }

    private static func mark(_ step: JSONValue) -> Character {
        switch step["kind"]?.string.flatMap(ChangePlan.Step.Kind.init) {
        case .add: "+"
        case .remove: "-"
        case .change, nil: "~"
        }
    }

    private static func texts(_ value: JSONValue?) -> [String] {
        (value?.array ?? []).compactMap(\.string)
    }
}
