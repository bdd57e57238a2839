/// What an UPDATE would do.
public struct ChangePlan: Sendable, Hashable {
    /// Why the balancing software would be reloaded, each naming what forces it; empty when it would go on running.
    public let reloadReasons: [String]

    /// What would be done while it runs, in order; empty with a reload, and when there is nothing to do.
    public let steps: [String]

    /// The configuration that would be written.
    public let configuration: String

    /// Creates a plan.
    public init(reloadReasons: [String], steps: [String], configuration: String) {
        self.reloadReasons = reloadReasons
        self.steps = steps
        self.configuration = configuration
    }
}
