/// What an UPDATE would do.
public struct ChangePlan: Sendable, Hashable {
    /// Why the balancing software would be reloaded, each naming what forces it; empty when it would go on running.
    public let reloadReasons: [String]

    /// What would be done while it runs, in order; empty with a reload, and when there is nothing to do.
    public let steps: [Step]

    /// The configuration that would be written.
    public let configuration: String

    /// One thing that would be done.
    public struct Step: Sendable, Hashable {
        /// What it does to a node.
        public enum Kind: String, Sendable, CaseIterable {
            /// A node, or another server in the place of its own, comes.
            case add
            /// Something that is there becomes otherwise.
            case change
            /// Something that is there goes.
            case remove
        }

        /// What it does.
        public let kind: Kind
        /// The same for a person, with what it is done to.
        public let text: String

        /// Creates a step.
        public init(_ kind: Kind, _ text: String) {
            self.kind = kind
            self.text = text
        }
    }

    /// Creates a plan.
    public init(reloadReasons: [String], steps: [Step], configuration: String) {
        self.reloadReasons = reloadReasons
        self.steps = steps
        self.configuration = configuration
    }
}
