public import ArgumentParser

/// Why a command ends without having done its work, as its user reads it.
///
/// Throw it from `run()` of a command that is started with ``ArgumentParser/AsyncParsableCommand/runProgram(_:)``.
public struct CommandError: Error, CustomStringConvertible {
    /// The code with which the process exits.
    public let exitCode: ExitCode
    /// The faults, one line each, without the command's name in front.
    public let messages: [String]
    /// What lies beneath, when it was an error too.
    public let cause: (any Error)?
    /// Whether the same command can succeed later without being changed.
    public let isRetriable: Bool

    /// Creates an error of one fault.
    ///
    /// - Parameters:
    ///   - exitCode: The code with which the process exits.
    ///   - message: What is wrong, naming the thing and the way out.
    ///   - cause: What lies beneath.
    ///   - isRetriable: Whether trying again can help; by default it can when a service is unavailable.
    public init(_ exitCode: ExitCode, _ message: String, cause: (any Error)? = nil, isRetriable: Bool? = nil) {
        self.init(exitCode, messages: [message], cause: cause, isRetriable: isRetriable)
    }

    /// Creates an error of several faults.
    ///
    /// - Parameters:
    ///   - exitCode: The code with which the process exits.
    ///   - messages: What is wrong, a fault each.
    ///   - cause: What lies beneath.
    ///   - isRetriable: Whether trying again can help; by default it can when a service is unavailable.
    public init(_ exitCode: ExitCode, messages: [String], cause: (any Error)? = nil, isRetriable: Bool? = nil) {
        self.exitCode = exitCode
        self.messages = messages
        self.cause = cause
        self.isRetriable = isRetriable ?? (exitCode == .unavailable)
    }

    /// The faults, one a line.
    public var description: String { messages.joined(separator: "\n") }
}
