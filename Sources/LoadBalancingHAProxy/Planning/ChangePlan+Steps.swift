internal import LoadBalancing

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
