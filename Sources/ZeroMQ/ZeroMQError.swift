/// What went wrong with a ZeroMQ socket.
public struct ZeroMQError: Error, Sendable, CustomStringConvertible {
    /// The kind of a failure, for programs that decide by it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in this file.
        public let description: String

        private init(_ description: String) { self.description = description }

        /// An endpoint, option or key cannot be used as it is; nothing was opened.
        public static let invalidArgument = Code("invalidArgument")
        /// Another process or socket has the address.
        public static let addressInUse = Code("addressInUse")
        /// The address cannot be bound or connected to from this host.
        public static let unavailable = Code("unavailable")
        /// The ROUTER socket knows no peer with the routing id that the message names.
        public static let unreachable = Code("unreachable")
        /// The context was shut down.
        public static let terminated = Code("terminated")
        /// The operating system or libzmq refused something that it should not refuse.
        public static let systemError = Code("systemError")
    }

    /// The kind of failure.
    public let code: Code
    /// What happened to what, and what can be done about it.
    public let message: String
    /// The failure below this one, where there is one.
    public let cause: (any Error)?

    /// The message, and that of the cause.
    public var description: String {
        cause.map { "\(message): \($0)" } ?? message
    }

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
