/// What went wrong between a program that logs, or one that watches, and the broadcast.
public struct LogBroadcastError: Error, Sendable, CustomStringConvertible {
    /// The kind of a failure, for programs that decide by it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in this file.
        public let description: String

        private init(_ description: String) { self.description = description }

        /// An option cannot be used as it is; nothing was opened.
        public static let invalidArgument = Code("invalidArgument")
        /// No broker or peer could be reached in time.
        public static let unavailable = Code("unavailable")
        /// A broker refused: the user's name or password, the virtual host, the certificate, or the permission to take part.
        public static let refused = Code("refused")
        /// What came is no record of a log.
        public static let notARecord = Code("notARecord")
        /// The operating system refused something that it should not refuse, such as a descriptor.
        public static let systemError = Code("systemError")
        /// It was closed.
        public static let closed = Code("closed")
    }

    /// The kind of failure.
    public let code: Code
    /// What happened to what, and what can be done about it.
    public let message: String
    /// The failure below this one, where there is one.
    public let cause: (any Error)?

    /// Whether the same may succeed later without any change to it.
    public var isRetriable: Bool { code == .unavailable }

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
