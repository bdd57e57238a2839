/// Why a driver did not do what was asked.
public struct DriverError: Error, Sendable, CustomStringConvertible {
    /// The kind of fault.
    public enum Code: Sendable, Hashable {
        /// The balancers ask for something that cannot be, such as a host name that does not resolve.
        case invalid

        /// There is nothing to act on: the balancers were deleted.
        case deleted

        /// The balancing software is not running.
        case notRunning

        /// The balancing software did not accept the configuration.
        case refused

        /// A service, a command or a socket that the driver needs failed or did not answer.
        case unavailable

        /// A file could not be read or written.
        case storage

        /// Something the driver takes for impossible.
        case unexpected
    }

    /// The kind of fault.
    public let code: Code

    /// One sentence that names the thing and the way out; clients see it.
    public let message: String

    /// What led to it.
    public let cause: (any Error)?

    /// Whether the same call may succeed later.
    public let isRetriable: Bool

    /// The nodes that could not be served; empty when that is not known, which is taken for all.
    public let failedNodes: [NodeReference]

    /// Creates an error.
    public init(
        _ code: Code,
        _ message: String,
        cause: (any Error)? = nil,
        isRetriable: Bool = false,
        failedNodes: [NodeReference] = []
    ) {
        self.code = code
        self.message = message
        self.cause = cause
        self.isRetriable = isRetriable
        self.failedNodes = failedNodes
    }

    /// The message, and its cause where there is one.
    public var description: String { cause.map { "\(message) (\($0))" } ?? message }
}
