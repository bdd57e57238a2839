/// Whether a node is to receive traffic.
public enum Condition: String, Sendable, Hashable, Word {
    /// It receives traffic.
    case enabled = "ENABLED"

    /// It is out of rotation.
    case disabled = "DISABLED"

    /// It finishes what it has and takes nothing new.
    case draining = "DRAINING"
}
