/// What went wrong between this process and an object store.
public struct ObjectStoreError: Error, Sendable, CustomStringConvertible {
    /// The kind of a failure, for programs that decide by it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in this file.
        public let description: String

        private init(_ description: String) { self.description = description }

        /// An argument cannot be used as it is; the store was not asked.
        public static let invalidArgument = Code("invalidArgument")
        /// There is no such object, or no such bucket, container or folder.
        public static let notFound = Code("notFound")
        /// The condition of a put does not hold; nothing was written.
        public static let preconditionFailed = Code("preconditionFailed")
        /// The store refused the credentials, or what they may not do; or it did not prove by a certificate who it is.
        public static let denied = Code("denied")
        /// The store asks for fewer requests, and went on to after several attempts.
        public static let throttled = Code("throttled")
        /// The store could not be reached, or did not answer as a store; nothing was written.
        public static let unreachable = Code("unreachable")
        /// It is not known whether the object was written: the answer did not come.
        public static let ambiguous = Code("ambiguous")
        /// What came back is not what was stored, by its length or checksum.
        public static let corrupt = Code("corrupt")
        /// The store does not offer what was asked for, such as conditional puts.
        public static let unsupported = Code("unsupported")
        /// There is no room, or a quota is reached.
        public static let full = Code("full")
        /// The store was closed.
        public static let closed = Code("closed")
        /// The task that waited was cancelled.
        public static let cancelled = Code("cancelled")
        /// The operating system, or the store, refused something that it should not refuse.
        public static let systemError = Code("systemError")
    }

    /// The kind of failure.
    public let code: Code
    /// What happened to what, and what can be done about it; never with a secret in it.
    public let message: String
    /// The failure below this one, where there is one.
    public let cause: (any Error)?

    /// Whether the same may succeed later without any change to it.
    public var isRetriable: Bool {
        switch code {
        case .throttled, .unreachable, .ambiguous, .corrupt: true
        default: false
        }
    }

    /// Whether a put that failed so may have been carried out, or may still be.
    package var mayHaveWritten: Bool {
        switch code {
        case .invalidArgument, .notFound, .preconditionFailed, .denied, .throttled, .unreachable, .unsupported, .full:
            false
        default: true
        }
    }

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
