public import CivilTime
public import Logging

/// One event of a log, as it is broadcast.
public struct LogRecord: Sendable, Hashable {
    /// When it was logged, by the clock of the machine that logged it.
    public var time: UTCTime
    /// How severe it is.
    public var level: Logger.Level
    /// The host that logged it.
    public var machine: String
    /// The label of the logger.
    public var logger: String
    /// What was logged.
    public var message: String
    /// The file of the program's source that logged it; empty when that is not known.
    public var pathname: String
    /// The line in that file; 0 when it is not known.
    public var lineno: Int
    /// The function in that file; empty when it is not known.
    public var function: String
    /// The error that belongs to the event.
    public var exception: String?
    /// The number of the process that logged it; 0 when it is not known.
    public var pid: Int
    /// The record's place among those of its run, from 1; 0 when there is none, as in records of others.
    ///
    /// A number that is missing is a record that was lost, or dropped.
    public var seq: UInt64
    /// What tells the run of the program that numbered the record from all others, at random; empty when it is not known.
    ///
    /// A process's number does not: another one gets it later, and in containers many have the number 1. Nor does a clock,
    /// which may be set back.
    public var run: String
    /// What more is known about the event.
    public var metadata: Logger.Metadata

    /// Describes an event.
    ///
    /// - Parameters:
    ///   - level: How severe it is.
    ///   - message: What was logged.
    ///   - machine: The host.
    ///   - logger: The label of the logger.
    ///   - time: When it was logged.
    public init(_ level: Logger.Level, _ message: String, machine: String, logger: String, time: UTCTime = .now) {
        self.level = level
        self.message = message
        self.machine = machine
        self.logger = logger
        self.time = time
        pathname = ""
        lineno = 0
        function = ""
        exception = nil
        pid = 0
        seq = 0
        run = ""
        metadata = [:]
    }
}

extension LogRecord {
    /// Hashes what tells most records apart; metadata are compared, not hashed.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(machine)
        hasher.combine(pid)
        hasher.combine(seq)
        hasher.combine(run)
        hasher.combine(time)
        hasher.combine(message)
    }
}
