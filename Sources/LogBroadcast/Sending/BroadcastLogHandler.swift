import Glibc
public import Logging

/// A swift-log handler whose events are seen by everybody who watches the broadcast.
///
/// Logging never waits and never fails, whatever the broker does: an event is put in the ``Broadcast``'s buffer, where
/// the oldest make room when it is full.
public struct BroadcastLogHandler: LogHandler {
    /// The least severe level that is broadcast.
    public var logLevel: Logger.Level
    /// What every record carries.
    public var metadata: Logger.Metadata = [:]
    /// What is asked for more to carry, a record at a time.
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let broadcast: Broadcast

    /// Creates a handler.
    ///
    /// - Parameters:
    ///   - label: The logger's label, the field `logger` of its records.
    ///   - broadcast: Where records go.
    ///   - level: The least severe level that is broadcast.
    ///   - metadataProvider: What is asked for more metadata.
    public init(
        label: String, to broadcast: Broadcast, level: Logger.Level = .info,
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.label = label
        self.broadcast = broadcast
        self.metadataProvider = metadataProvider
        logLevel = level
    }

    /// A value that every record carries.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Broadcasts an event.
    ///
    /// - Parameter event: What happened; its own metadata win over the handler's.
    public func log(event: LogEvent) {
        var record = LogRecord(event.level, event.message.description, machine: broadcast.machine, logger: label)
        record.pathname = event.file
        record.lineno = Int(clamping: event.line)
        record.function = event.function
        record.exception = event.error.map { "\($0)" }
        record.pid = broadcast.pid
        record.metadata = rendered(event.metadata)
        broadcast.send(record)
    }

    /// All metadata of an event, as they are now: a value of any type may say something else later.
    private func rendered(_ own: Logger.Metadata?) -> Logger.Metadata {
        var all = metadata
        if let more = metadataProvider?.get() { all.merge(more) { $1 } }
        if let own { all = all.isEmpty ? own : all.merging(own) { $1 } }
        for (key, value) in all {
            if case .string = value { continue }
            all[key] = value.rendered
        }
        return all
    }
}

extension Logger.MetadataValue {
    /// The value with texts for what only can be made text.
    fileprivate var rendered: Logger.MetadataValue {
        switch self {
        case .string: self
        case .stringConvertible(let value): .string(value.description)
        case .array(let elements): .array(elements.map(\.rendered))
        case .dictionary(let members): .dictionary(members.mapValues(\.rendered))
        }
    }
}
