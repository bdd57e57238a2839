public import Logging

/// Which records somebody wants to see.
public struct RecordFilter: Sendable {
    /// The least severe level; nil for all.
    public var level: Logger.Level?
    /// Patterns of machines' names, any of which will do; none for all.
    public var machines: [NamePattern]
    /// Patterns of loggers' labels, any of which will do; none for all.
    public var loggers: [NamePattern]
    /// What has to be found in the message, in the error, or in a `key=value` of the metadata, lists and
    /// dictionaries as JSON; nil for all.
    public var text: (@Sendable (String) -> Bool)?

    /// Lets all pass.
    public init() {
        level = nil
        machines = []
        loggers = []
        text = nil
    }

    /// Whether a record passes.
    ///
    /// - Parameter record: The record.
    /// - Returns: Whether it does.
    public func allows(_ record: LogRecord) -> Bool {
        if let level, record.level < level { return false }
        guard allows(machine: record.machine) else { return false }
        guard loggers.isEmpty || loggers.contains(where: { $0.matches(record.logger) }) else { return false }
        guard let text else { return true }
        return text(record.message) || record.exception.map(text) == true
            || record.metadata.contains { text("\($0.key)=\($0.value.text)") }
    }

    /// Whether any record of a machine can pass, as far as its name goes.
    ///
    /// - Parameter machine: The machine's name.
    /// - Returns: Whether it can.
    public func allows(machine: String) -> Bool {
        machines.isEmpty || machines.contains { $0.matches(machine) }
    }
}
