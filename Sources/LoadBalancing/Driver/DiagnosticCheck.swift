/// One thing that a driver needs from its host, and whether it has it.
public struct DiagnosticCheck: Sendable, Hashable {
    /// What was looked at, in a few words.
    public let name: String

    /// Whether it is as it should be.
    public let passed: Bool

    /// What was found: for a check that failed, the reason and the way out.
    public let detail: String

    /// Creates a row.
    public init(name: String, passed: Bool, detail: String) {
        self.name = name
        self.passed = passed
        self.detail = detail
    }
}
