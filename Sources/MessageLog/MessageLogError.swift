/// What went wrong with a message log.
public struct MessageLogError: Error, Sendable, CustomStringConvertible {
    /// The kind of a failure, for programs that decide by it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in this file.
        public let description: String

        private init(_ description: String) { self.description = description }

        /// An argument cannot be used as it is: a routing key, a consumer's name, an option, a URL.
        public static let invalidArgument = Code("invalidArgument")
        /// There is no such cursor, key, bucket or folder.
        public static let notFound = Code("notFound")
        /// The store or broker refused the credentials, or what they may not do.
        public static let denied = Code("denied")
        /// The store or broker cannot be reached, or is too busy.
        public static let unreachable = Code("unreachable")
        /// It is not known whether the messages were stored.
        public static let ambiguous = Code("ambiguous")
        /// A segment is not what was written, by its checksum or its numbers.
        public static let corrupt = Code("corrupt")
        /// The store or broker does not offer what this needs, such as conditional puts.
        public static let unsupported = Code("unsupported")
        /// A segment is of a later version of the format, which this program can neither read nor write behind.
        public static let laterVersion = Code("laterVersion")
        /// Another consumer of the same name has taken over: what was handled since the last commit is handled by it too.
        public static let leaseLost = Code("leaseLost")
        /// A message cannot be kept there, whatever is tried: it is too long, say.
        public static let unfit = Code("unfit")
        /// There is no room: on the disk, in the store, in the spool, or in a queue.
        public static let full = Code("full")
        /// What the cursor points to has been removed by retention, or the log was emptied and has begun anew.
        public static let expired = Code("expired")
        /// A handler failed, and no dead-letter key is set.
        public static let handlerFailed = Code("handlerFailed")
        /// It was closed.
        public static let closed = Code("closed")
        /// The task that waited was cancelled.
        public static let cancelled = Code("cancelled")
        /// The operating system, the store or the broker refused something that it should not refuse.
        public static let systemError = Code("systemError")
    }

    /// The kind of failure.
    public let code: Code
    /// What happened to what, and what can be done about it; never with a secret in it.
    public let message: String
    /// The failure below this one, where there is one.
    public let cause: (any Error)?
    /// Whether it is known that nothing of what was to be stored is there, and that nothing comes to be there.
    let isNothingStored: Bool

    /// Whether the same may succeed later without any change to it.
    public var isRetriable: Bool {
        switch code {
        case .unreachable, .ambiguous: true
        default: false
        }
    }

    /// The message, and that of the cause.
    public var description: String {
        cause.map { "\(message): \($0)" } ?? message
    }

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.init(code, message, cause: cause, isNothingStored: false)
    }

    init(_ code: Code, _ message: String, cause: (any Error)?, isNothingStored: Bool) {
        self.code = code
        self.message = message
        self.cause = cause
        self.isNothingStored = isNothingStored
    }
}
