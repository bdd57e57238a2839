internal import Spool
internal import ZeroMQ

/// What went wrong between the lines that come in and the receivers.
public struct LogTransportError: Error, Sendable, CustomStringConvertible {
    /// The kind of a failure, for programs that decide by it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in this file.
        public let description: String

        private init(_ description: String) { self.description = description }

        /// An option cannot be used as it is; nothing was opened.
        public static let invalidArgument = Code("invalidArgument")
        /// An endpoint, the spool or the input cannot be opened.
        public static let unavailable = Code("unavailable")
        /// The other side does not speak the protocol that was expected of it.
        public static let protocolViolation = Code("protocolViolation")
        /// The receiver or sender was closed.
        public static let closed = Code("closed")
        /// The operating system or a library refused something that it should not refuse.
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

extension LogTransportError {
    /// What a failure to open a socket means.
    init(opening error: ZeroMQError) {
        switch error.code {
        case .invalidArgument: self.init(.invalidArgument, error.message)
        case .addressInUse, .unavailable: self.init(.unavailable, error.message)
        default: self.init(.systemError, "no ZeroMQ socket can be opened", cause: error)
        }
    }

    /// What a failure to use an open socket means.
    init(sending error: ZeroMQError) {
        self.init(.systemError, "the ZeroMQ socket fails", cause: error)
    }

    /// What a failure of the spool means.
    init(spool error: SpoolError) {
        self.init(.systemError, "the spool cannot go on", cause: error)
    }
}
