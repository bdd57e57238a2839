/// The state of a row of `show stat` (column `status`).
public struct ServerStatus: Hashable, Sendable, CustomStringConvertible {
    /// What HAProxy writes: `UP`, `DOWN 1/2`, `MAINT (via x/y)`.
    public let text: String
    /// What that means.
    public let kind: Kind

    /// What a status means.
    public enum Kind: Hashable, Sendable {
        /// It takes load: `UP`, `OPEN` of a frontend.
        case up
        /// It takes load while its checks are failing: `UP 1/2`.
        case goingDown
        /// It takes load and is not checked: `no check`.
        case unchecked
        /// It takes nothing: `DOWN`, `DOWN (agent)`.
        case down
        /// It takes nothing yet, while its checks are succeeding: `DOWN 1/2`.
        case goingUp
        /// It takes nothing new by its own wish: `NOLB`.
        case noLoad
        /// It takes nothing new by an operator's wish: `DRAIN`.
        case draining
        /// An operator has taken it out: `MAINT`, `MAINT (via …)`, `MAINT (resolution)`.
        case maintenance
        /// A frontend that does not listen: `STOP`, `PAUSED`.
        case stopped
        /// A word that this version does not know; it counts as down.
        case unknown
    }

    /// Reads a status.
    public init(_ text: String) {
        self.text = text
        let isFraction = text.utf8.contains(UInt8(ascii: "/"))
        // Words may carry a remark in brackets, or the progress of the change: what counts is how they begin.
        kind =
            if text.hasPrefix("UP") || text == "OPEN" {
                isFraction ? .goingDown : .up
            } else if text.hasPrefix("DOWN") {
                isFraction ? .goingUp : .down
            } else if text.hasPrefix("MAINT") {
                .maintenance
            } else if text.hasPrefix("DRAIN") {
                .draining
            } else if text.hasPrefix("NOLB") {
                .noLoad
            } else if text == "no check" {
                .unchecked
            } else if text == "STOP" || text == "PAUSED" || text == "WAITING" {
                .stopped
            } else {
                .unknown
            }
    }

    /// Whether new connections may go there.
    public var isUp: Bool {
        switch kind {
        case .up, .goingDown, .unchecked: true
        case .down, .goingUp, .noLoad, .draining, .maintenance, .stopped, .unknown: false
        }
    }

    /// What HAProxy writes.
    public var description: String { text }
}
