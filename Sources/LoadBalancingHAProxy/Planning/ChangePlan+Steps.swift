internal import LoadBalancing

extension ChangeSummary {
    /// What is told of a change that came to its end by a plan.
    init(of target: HostState, by plan: Plan, _ conditions: [NodeReference: Condition]) {
        let keys = target.balancers.map(\.key)
        switch plan {
        case .nothing: self.init(isChange: true, balancers: keys, otherConditions: conditions)
        case .steps(let steps):
            self.init(
                isChange: true, balancers: keys, steps: steps.map(ChangePlan.Step.init), otherConditions: conditions)
        case .reload(let reasons):
            self.init(isChange: true, balancers: keys, reloadReasons: reasons, otherConditions: conditions)
        }
    }
}

extension ChangePlan.Step {
    /// What PLAN tells of a step.
    init(_ step: PlanStep) {
        let kind: Kind =
            switch step {
            case .add: .add
            case .retire: .remove
            case .setAddress, .setLimit, .setFrontendLimit, .setWeight, .setState, .enableHealth: .change
            }
        self.init(kind, step.description)
    }
}
