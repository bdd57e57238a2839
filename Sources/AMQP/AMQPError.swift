/// What went wrong between this process and an AMQP broker.
public struct AMQPError: Error, Sendable, CustomStringConvertible {
    /// The kind of a failure, for programs that decide by it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in this file.
        public let description: String

        private init(_ description: String) { self.description = description }

        /// An argument cannot be used as it is; the broker was not asked.
        public static let invalidArgument = Code("invalidArgument")
        /// The broker could not be reached: its name does not resolve, it refuses, or it does not answer.
        public static let notConnected = Code("notConnected")
        /// The broker refused the user's name or password.
        public static let accessRefused = Code("accessRefused")
        /// There is no such virtual host, or the user may not use it.
        public static let virtualHostRefused = Code("virtualHostRefused")
        /// TLS failed: the certificate of either side, its name, or a file with it.
        public static let tlsFailed = Code("tlsFailed")
        /// The connection ended; what was not confirmed may have been taken, or not.
        public static let connectionLost = Code("connectionLost")
        /// The broker closed the connection, with a reply code and text.
        public static let closedByBroker = Code("closedByBroker")
        /// The broker closed the channel, with a reply code and text: it refused what was asked on it.
        public static let channelClosed = Code("channelClosed")
        /// The broker cancelled the consumer, for instance because its queue was deleted.
        public static let consumerCancelled = Code("consumerCancelled")
        /// No queue took the message, and it was marked as mandatory.
        public static let unroutable = Code("unroutable")
        /// The broker refused the message (`basic.nack`), for instance because a queue is full.
        public static let messageRefused = Code("messageRefused")
        /// The connection was not ready in the time given.
        public static let timedOut = Code("timedOut")
        /// This side closed the connection, the publisher or the consumer.
        public static let closed = Code("closed")
        /// The task that waited was cancelled.
        public static let cancelled = Code("cancelled")
        /// The other side does not speak AMQP 0-9-1, or not as expected.
        public static let protocolViolation = Code("protocolViolation")
        /// The operating system or librabbitmq refused something that it should not refuse.
        public static let systemError = Code("systemError")
    }

    /// The kind of failure.
    public let code: Code
    /// What happened to what, and what can be done about it; never with a password in it.
    public let message: String
    /// AMQP's reply code, such as 404, where the broker gave one.
    public let replyCode: Int?
    /// AMQP's reply text, where the broker gave one.
    public let replyText: String?
    /// The failure below this one, where there is one.
    public let cause: (any Error)?

    /// Whether the same may succeed later without any change to it.
    public var isRetriable: Bool {
        switch code {
        case .notConnected, .connectionLost, .closedByBroker, .messageRefused, .timedOut: true
        // RESOURCE_LOCKED: another connection has the exclusive queue, perhaps one of this process that died.
        case .channelClosed: replyCode == 405
        default: false
        }
    }

    /// The message, and that of the cause.
    public var description: String {
        cause.map { "\(message): \($0)" } ?? message
    }

    init(
        _ code: Code, _ message: String, replyCode: Int? = nil, replyText: String? = nil, cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.replyCode = replyCode
        self.replyText = replyText
        self.cause = cause
    }
}
