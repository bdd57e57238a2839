/// A request to change something, and what became of it.
public struct ChangeReport: Sendable {
    /// What was asked for: one of those that ``Action/isChange`` says.
    public let action: Action

    /// The balancers that it is about: those of the request, or for a request that names none, those of the host as far as
    /// they are known.
    public let balancers: [BalancerKey]

    /// Why it failed, as the reply has it; nil when it was done.
    public let error: String?

    /// What it did; nil when it failed.
    public let summary: ChangeSummary?

    /// How long the answer took, waiting for other changes included.
    public let duration: Duration

    /// The job that brought it, where there is one.
    public let job: JobIdentity?

    /// Creates a report.
    public init(
        action: Action, balancers: [BalancerKey], error: String?, summary: ChangeSummary?, duration: Duration,
        job: JobIdentity?
    ) {
        self.action = action
        self.balancers = balancers
        self.error = error
        self.summary = summary
        self.duration = duration
        self.job = job
    }

    /// Whether the host is otherwise than before, or was to be and could not.
    public var isWorthTelling: Bool { error != nil || summary?.isChange == true }
}

extension Action {
    /// Whether it asks for something to be otherwise than it is.
    public var isChange: Bool {
        switch self {
        case .update, .create, .suspend, .enable, .delete: true
        case .discover, .stats, .metrics, .archive, .diagnostics, .ping, .plan: false
        }
    }
}
