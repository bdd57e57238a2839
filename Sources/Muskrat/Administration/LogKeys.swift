internal import CommandKit
internal import MessageLog

/// The log layout of a store, for commands that only it can serve.
struct LogKeys {
    let log: LogBroker
    /// The folder that cursors are kept in; nil for those beside the messages.
    let cursorFolder: String?
    private let wanted: RoutingPattern

    /// Opens it.
    ///
    /// - Throws: `CommandError` with exit code 64 for a key that is none, and where the broker has no log.
    init(
        _ pattern: String, _ place: PlaceArguments, _ cursors: CursorPlaceArguments? = nil, for purpose: String
    ) throws(CommandError) {
        wanted = try forArguments { () throws(MessageLogError) in try RoutingPattern(pattern) }
        let settings = try place.load(cursors?.given ?? CommandLineValues())
        let broker = try settings.openOne()
        guard let log = broker as? LogBroker else {
            throw CommandError(.usage, "\(broker) has no numbered log to \(purpose): that is --layout log in a store")
        }
        self.log = log
        cursorFolder = settings.reading.cursorFolder
    }

    /// The keys that match, in order; that there are none is said.
    func all() async throws(MessageLogError) -> [RoutingKey] {
        let keys = try await log.keys(matching: wanted)
        if keys.isEmpty { tellOfMissingKeys(wanted, at: log) }
        return keys
    }
}
