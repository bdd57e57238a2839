/// What went wrong between this process and a Gearman job server.
public struct GearmanError: Error, Sendable, CustomStringConvertible {
    /// The kind of a failure, for programs that decide by it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in this file.
        public let description: String

        private init(_ description: String) { self.description = description }

        /// An argument cannot be used as it is; no job server was asked.
        public static let invalidArgument = Code("invalidArgument")
        /// TLS was asked for, and the installed libgearman was built without it; `docs/tls.md` has the way round.
        public static let tlsUnavailable = Code("tlsUnavailable")
        /// No job server could be reached: its name does not resolve, it refuses, or it does not answer.
        public static let notConnected = Code("notConnected")
        /// The connection ended before the answer came; the job may have been done, or may still be.
        public static let connectionLost = Code("connectionLost")
        /// The answer did not come in time; the job may have been done, or may still be.
        public static let timedOut = Code("timedOut")
        /// The worker said that the job failed (`WORK_FAIL`).
        public static let jobFailed = Code("jobFailed")
        /// The job server refused the request with an error of its own.
        public static let serverError = Code("serverError")
        /// The other side does not speak the protocol that was expected of it.
        public static let protocolViolation = Code("protocolViolation")
        /// The task that waited was cancelled.
        public static let cancelled = Code("cancelled")
        /// The operating system or libgearman refused something that it should not refuse.
        public static let systemError = Code("systemError")
    }

    /// The kind of failure.
    public let code: Code
    /// What happened to what, and what can be done about it.
    public let message: String
    /// The failure below this one, where there is one.
    public let cause: (any Error)?

    /// Whether the same request may succeed later without any change to it.
    public var isRetriable: Bool {
        [.notConnected, .connectionLost, .timedOut, .serverError].contains(code)
    }

    /// The message, and that of the cause.
    public var description: String {
        cause.map { "\(message): \($0)" } ?? message
    }

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension GearmanError {
    /// What an error means when it came before the job server had answered for the first time.
    ///
    /// - Parameters:
    ///   - server: The job server.
    ///   - isConnected: Whether it accepted the connection.
    /// - Returns: An error with the code `notConnected`, unless the fault is on this side.
    func asFailureToConnect(to server: JobServer, isConnected: Bool) -> GearmanError {
        switch code {
        case .timedOut where isConnected:
            GearmanError(
                .notConnected, "job server \(server) accepts connections and does not answer; is gearmand well?")
        case .timedOut:
            GearmanError(.notConnected, "job server \(server) does not accept a connection in time")
        case .connectionLost:
            GearmanError(
                .notConnected,
                "job server \(server) closes connections before it answers; is gearmand behind that port, or TLS amiss?"
            )
        default:
            self
        }
    }
}
