public import Logging

/// Answers messages: reads what a client wants, has the driver do it, and says what became of it.
///
/// It may be called from any number of tasks at once. Changes go through one gate, one at a time, in the order in which
/// they arrive there; reads pass it by.
public final class Controller: Sendable {
    private let driver: any Driver
    private let networkCheck: @Sendable () async -> Bool
    private let jobServers: @Sendable () async -> [JobServerStatus]
    private let logger: Logger

    /// Creates a controller.
    ///
    /// - Parameters:
    ///   - driver: What carries out the changes.
    ///   - networkCheck: Whether this host reaches the network; see ``NetworkCheck``.
    ///   - jobServers: The job servers and their state at this moment.
    ///   - logger: Gets a line a message at info level, and the messages, secrets masked, at debug level.
    public init(
        driver: any Driver,
        networkCheck: @escaping @Sendable () async -> Bool,
        jobServers: @escaping @Sendable () async -> [JobServerStatus],
        logger: Logger
    ) {
        self.driver = driver
        self.networkCheck = networkCheck
        self.jobServers = jobServers
        self.logger = logger
    }

    /// Answers one message.
    ///
    /// - Parameter workload: A JSON object of at most 4 MiB; anything else is answered too, with a FAIL that says why.
    /// - Returns: A JSON object: the message, with what became of it added.
    public func reply(to workload: [UInt8]) async -> [UInt8] {
        workload
    }
}
