public import Logging
public import ObjectStorage
import Synchronization

/// A log on an object store: numbered segments of messages, in one total order for each key (docs/message-log.md).
///
/// Any number of writers on any hosts append beside each other, with nothing between them but the store's conditional
/// puts. What each key has lies in a folder of its own: that of `A.B` is `<prefix>/A/B/`.
public final class LogBroker: Broker {
    /// The store's description, and the prefix.
    public let description: String

    let store: any ObjectStore
    let prefix: String
    let options: LogOptions
    let environment: LogEnvironment
    let logger: Logger
    let preflight: Preflight
    /// The folders that cursors are kept in, by their names.
    let cursorStores = Mutex<[String: FileObjectStore]>([:])

    /// Names a log; the store is not asked for anything yet.
    ///
    /// - Parameters:
    ///   - store: Where the log is; ``close()`` closes it.
    ///   - prefix: What stands before the keys' folders; may be empty, or have several parts.
    ///   - options: How it is written and read.
    ///   - logger: Where is said what is skipped, taken over or tried again.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`, for the prefix.
    public convenience init(
        store: any ObjectStore, prefix: String = "", options: LogOptions = LogOptions(), logger: Logger
    ) throws(MessageLogError) {
        try self.init(store: store, prefix: prefix, options: options, logger: logger, environment: .system)
    }

    package init(
        store: any ObjectStore, prefix: String, options: LogOptions, logger: Logger, environment: LogEnvironment
    ) throws(MessageLogError) {
        let parts = prefix.split(separator: "/").joined(separator: "/")
        if !parts.isEmpty {
            do {
                _ = try ObjectKey(parts)
            } catch {
                throw MessageLogError(error, "'\(RoutingWord.visible(prefix))' is no prefix")
            }
        }
        description = parts.isEmpty ? "\(store)" : "\(store) \(parts)"
        self.store = store
        self.prefix = parts
        self.options = options
        self.logger = logger
        self.environment = environment
        preflight = Preflight(store: store, prefix: parts)
    }

    /// Makes a writer of a key; see ``Broker/makeWriter(for:)``.
    public func makeWriter(for key: RoutingKey) async throws(MessageLogError) -> any MessageWriter {
        let preflight = preflight
        return LogWriter(folder: try folder(of: key), options: options, logger: logger) { () throws(MessageLogError) in
            try await preflight.check()
        }
    }

    /// Makes a reader; see ``Broker/makeReader(of:for:options:)``.
    public func makeReader(
        of pattern: RoutingPattern, for consumer: ConsumerName, options: ReaderOptions
    ) async throws(MessageLogError) -> any MessageReader {
        if let key = pattern.key { return try makeReader(of: key, for: consumer, options: options, log: self.options) }
        // Each key has a segment at hand, and reads ahead a little only: what many have together grows with their number.
        var log = self.options
        log.readAheadBytes /= 8
        let ofMany = log
        let source = PatternReader.Source(
            keys: { () throws(MessageLogError) in try await self.keys(matching: pattern) },
            makeReader: { key, options throws(MessageLogError) in
                try self.makeReader(of: key, for: consumer, options: options, log: ofMany)
            })
        return PatternReader(source, options: options)
    }

    private func makeReader(
        of key: RoutingKey, for consumer: ConsumerName, options: ReaderOptions, log: LogOptions
    ) throws(MessageLogError) -> any MessageReader {
        let folder = try folder(of: key)
        let name = try options.cursor.map { text throws(MessageLogError) in try ConsumerName(text) } ?? consumer
        let cursor = try shelf(of: folder, in: options.cursorFolder).cursor(name)
        let lease: any Lease
        // It lies where the cursor lies: those who do not share the one need not wait for each other.
        if let files = cursor.store as? FileObjectStore {
            let object = cursor.isShared ? cursor.object : try folder.object("leases/\(name)")
            lease = FileLease(store: files, object: object, environment: environment)
        } else {
            lease = try StoreLease(folder: folder, name: name.description, logger: logger)
        }
        // Who keeps the cursor elsewhere puts nothing here.
        let preflight = cursor.isShared ? nil : preflight
        return LogReader(
            folder: folder, options: options, log: log, cursor: cursor, lease: lease, logger: logger
        ) { () throws(MessageLogError) in try await preflight?.check() }
    }

    /// The keys that have messages and match, in order.
    ///
    /// It takes a listing for each folder that can lead to one; a single key that is there takes none.
    ///
    /// - Throws: ``MessageLogError``.
    public func keys(matching pattern: RoutingPattern) async throws(MessageLogError) -> [RoutingKey] {
        if let key = pattern.key, try await folder(of: key).isBegun() { return [key] }
        let walk = KeyWalk(store: store, prefix: prefix) { page, path in page.folders.contains(path + "log/") }
        return try await walk.keys(matching: pattern)
    }

    /// Closes the store.
    public func close() async {
        await store.close()
        for folder in cursorStores.withLock({ $0.values }) { await folder.close() }
    }

    func folder(of key: RoutingKey) throws(MessageLogError) -> LogFolder {
        try LogFolder(store: store, prefix: prefix, key: key, environment: environment)
    }
}
