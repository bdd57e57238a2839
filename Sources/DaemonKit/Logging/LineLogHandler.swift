import Glibc
public import Logging

/// A swift-log handler that writes a line an event to a file or to standard error.
///
/// ```swift
/// LoggingSystem.bootstrap { _ in LineLogHandler(program: "libra_worker", to: logFile, level: .info) }
/// ```
/// A line is `2026-11-21T01:23:45.678Z info libra_worker[4711]: message key=value`, with nothing in it that could begin
/// another one. The file `LogFile` and standard error have the same form.
public struct LineLogHandler: LogHandler {
    /// The least severe level that is written.
    public var logLevel: Logger.Level
    /// What every line carries.
    public var metadata: Logger.Metadata = [:]
    /// What is asked for more to carry, a line at a time.
    public var metadataProvider: Logger.MetadataProvider?
    private let destination: any LogDestination
    private let form: LogLine

    /// Creates a handler.
    ///
    /// - Parameters:
    ///   - program: The name before the process's number.
    ///   - destination: Where lines go.
    ///   - level: The least severe level that is written.
    public init(program: String, to destination: any LogDestination, level: Logger.Level) {
        form = LogLine(program: program, processID: getpid())
        self.destination = destination
        logLevel = level
    }

    /// A value that every line carries.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes an event.
    ///
    /// - Parameter event: What happened; its own metadata win over the handler's.
    public func log(event: LogEvent) {
        var all = metadata
        if let more = metadataProvider?.get() { all.merge(more) { $1 } }
        if let more = event.metadata { all.merge(more) { $1 } }
        if let error = event.error { all["error"] = "\(error)" }
        destination.write(form.bytes(event.level, event.message.description, metadata: all))
    }
}
