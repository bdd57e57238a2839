/// What a driver did of its own accord, because what ran was not what was last asked for.
public struct RepairReport: Sendable {
    /// What was otherwise than asked for, each in words.
    public let differences: [String]

    /// What the repair did; nil when it failed before that was known.
    public let summary: ChangeSummary?

    /// Why what was asked for could not be restored; nil when it was.
    public let error: String?

    /// How long it took.
    public let duration: Duration

    /// Creates a report.
    public init(differences: [String], summary: ChangeSummary?, error: String?, duration: Duration) {
        self.differences = differences
        self.summary = summary
        self.error = error
        self.duration = duration
    }
}
