/// What went wrong with HAProxy, its configuration, its sockets or its service.
public struct HAProxyError: Error, Sendable, CustomStringConvertible {
    /// What kind of fault it is; match on this, never on the message.
    public var code: Code
    /// One sentence or more for an operator: it names the thing at fault, and the way out where there is one.
    public var message: String
    /// The error below this one, where there is one.
    public var cause: (any Error)?
    /// The command of the Runtime API that HAProxy refused, where it did.
    public var command: RuntimeCommand?

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: What kind of fault it is.
    ///   - message: What an operator should read.
    ///   - cause: The error below this one.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Whether the same call may succeed later without anything being changed.
    public var isRetriable: Bool { code.isRetriable }

    /// The message.
    public var description: String { message }
}

extension HAProxyError {
    /// What kind of fault an error is.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case invalidValue, invalidConfiguration
            case notRunning, permissionDenied, timedOut, connectionLost
            case commandRefused, replyTooLarge, unreadableReply
            case notInstalled, commandFailed, startFailed, reloadFailed, stopFailed, addressUnavailable
            case inputOutput
        }

        private let kind: Kind
        private init(_ kind: Kind) { self.kind = kind }

        /// A value that HAProxy could not take, or that could be taken for something else.
        public static let invalidValue = Code(.invalidValue)
        /// HAProxy refuses the configuration; the message has its own words.
        public static let invalidConfiguration = Code(.invalidConfiguration)
        /// No HAProxy answers at this socket, or none runs.
        public static let notRunning = Code(.notRunning)
        /// This user may not open the file or socket, or sudo refuses.
        public static let permissionDenied = Code(.permissionDenied)
        /// There was no answer, or no end, within the time allowed.
        public static let timedOut = Code(.timedOut)
        /// HAProxy closed the connection before its reply was complete.
        public static let connectionLost = Code(.connectionLost)
        /// HAProxy answered a Runtime API command with a refusal; the message has its own words.
        public static let commandRefused = Code(.commandRefused)
        /// A reply grew beyond the size allowed.
        public static let replyTooLarge = Code(.replyTooLarge)
        /// A reply does not have the form that HAProxy documents.
        public static let unreadableReply = Code(.unreadableReply)
        /// An executable is missing.
        public static let notInstalled = Code(.notInstalled)
        /// An external command ended with a fault; the message has its own words.
        public static let commandFailed = Code(.commandFailed)
        /// HAProxy did not start.
        public static let startFailed = Code(.startFailed)
        /// HAProxy did not take the new configuration and goes on with what it had.
        public static let reloadFailed = Code(.reloadFailed)
        /// HAProxy did not stop.
        public static let stopFailed = Code(.stopFailed)
        /// A frontend could not listen at its address and port.
        public static let addressUnavailable = Code(.addressUnavailable)
        /// A file or folder could not be read or written; the message names it.
        public static let inputOutput = Code(.inputOutput)

        var isRetriable: Bool {
            switch kind {
            case .notRunning, .timedOut, .connectionLost: true
            default: false
            }
        }

        /// The code's name.
        public var description: String { kind.rawValue }
    }
}
