/// What a change did to the balancing software.
public struct ChangeSummary: Sendable, Hashable {
    /// Whether anything is otherwise than before; false where what was asked for was there already.
    public let isChange: Bool

    /// The balancers that the host has; after a deletion, those that it had.
    public let balancers: [BalancerKey]

    /// Why the balancing software was reloaded, started or stopped; empty when it went on running.
    public let reloadReasons: [String]

    /// What was done while it ran, in order; empty with a reload.
    public let steps: [ChangePlan.Step]

    /// The conditions of nodes that stay otherwise than asked for, because somebody changed them by hand and the driver is
    /// told to leave that alone.
    public let otherConditions: [NodeReference: Condition]

    /// Creates a summary.
    public init(
        isChange: Bool, balancers: [BalancerKey], reloadReasons: [String] = [], steps: [ChangePlan.Step] = [],
        otherConditions: [NodeReference: Condition] = [:]
    ) {
        self.isChange = isChange
        self.balancers = balancers
        self.reloadReasons = reloadReasons
        self.steps = steps
        self.otherConditions = otherConditions
    }
}
