public import SystemPackage

/// What went wrong with starting, keeping or ending a daemon.
public struct DaemonError: Error, CustomStringConvertible {
    /// The kinds of faults.
    public enum Code: Sendable, Hashable {
        /// There is no such user or group.
        case unknownAccount
        /// What was asked takes root.
        case notRoot
        /// The process could have its old rights back.
        case privilegesNotDropped
        /// A folder is missing, is none, or cannot be written.
        case folder
        /// Another process holds the PID file.
        case alreadyRunning
        /// The PID file cannot be created, read or written.
        case pidFile
        /// The log file cannot be opened.
        case logFile
        /// The daemon could not be started at all.
        case spawn
        /// The daemon ended before it was ready.
        case endedEarly
        /// The daemon was not ready in time.
        case deadline
        /// The process that started the daemon is gone.
        case launcherGone
    }

    /// The kind of fault.
    public let code: Code
    /// What is wrong, naming the thing and the way out, in one line; empty when the daemon has said it itself.
    public let message: String
    /// What the operating system said.
    public let cause: Errno?
    /// The code, not 0, with which the daemon exited before it was ready.
    public let exitCode: Int32?
    /// Whether the same can succeed later without being changed.
    public let isRetriable: Bool

    init(_ code: Code, _ message: String, cause: Errno? = nil, exitCode: Int32? = nil) {
        self.code = code
        self.message = cause.map { "\(message): \($0)" } ?? message
        self.cause = cause
        self.exitCode = exitCode
        isRetriable = code == .alreadyRunning || code == .deadline
    }

    /// The message.
    public var description: String { message }
}

/// Every precondition that failed, found in one go.
public struct DaemonFaults: Error, CustomStringConvertible {
    /// The faults; at least one.
    public let faults: [DaemonError]

    /// The faults' messages, one a line.
    public var description: String { faults.map(\.message).joined(separator: "\n") }
}
