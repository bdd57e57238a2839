import CivilTime
public import Logging
public import ObjectStorage
import Synchronization
import SystemPackage

/// Messages in the layout of the old library, one object each, named after the time in UTC (docs/message-log.md).
///
/// The old library reads what this writes and writes what this reads. Without conditional puts in the store names get a
/// random part so that no message replaces another, and consumers of one name must not run at the same time.
public final class LegacyBroker: Broker {
    /// The store's description, the prefix, and the layout.
    public let description: String

    let store: any ObjectStore
    let prefix: String
    let options: LegacyOptions
    private let environment: LogEnvironment
    private let logger: Logger
    private let names: LegacyNames
    private let conditions: StoreConditions
    /// The folders that cursors are kept in, by their names.
    private let cursorStores = Mutex<[String: FileObjectStore]>([:])

    /// Names a place in a store; the store is not asked for anything yet.
    ///
    /// - Parameters:
    ///   - store: Where the messages are; ``close()`` closes it.
    ///   - prefix: What stands before the keys' folders; may be empty, or have several parts.
    ///   - options: How they are written and read.
    ///   - logger: Where is said what is taken over.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    public convenience init(
        store: any ObjectStore, prefix: String = "", options: LegacyOptions = LegacyOptions(), logger: Logger
    ) throws(MessageLogError) {
        try self.init(store: store, prefix: prefix, options: options, logger: logger, environment: .system)
    }

    package init(
        store: any ObjectStore, prefix: String, options: LegacyOptions, logger: Logger, environment: LogEnvironment
    ) throws(MessageLogError) {
        try options.check()
        names = try LegacyNames(options.timestampFormat)
        let parts = prefix.split(separator: "/").joined(separator: "/")
        if !parts.isEmpty {
            do {
                _ = try ObjectKey(parts)
            } catch {
                throw MessageLogError(error, "'\(RoutingWord.visible(prefix))' is no prefix")
            }
        }
        description = "\(store)\(parts.isEmpty ? "" : " " + parts) (legacy layout)"
        self.store = store
        self.prefix = parts
        self.options = options
        self.environment = environment
        self.logger = logger
        conditions = StoreConditions(store: store, prefix: parts.isEmpty ? "" : parts + "/")
    }

    /// Makes a writer; see ``Broker/makeWriter(for:)``.
    public func makeWriter(for key: RoutingKey) async throws(MessageLogError) -> any MessageWriter {
        try await makeWriter(for: key, maxInFlight: 1)
    }

    /// Makes a writer that stores several messages of a batch at a time, in no order among them.
    public func makeWriter(
        for key: RoutingKey, maxInFlight: Int
    ) async throws(MessageLogError) -> any MessageWriter {
        let conditions = conditions
        return LegacyWriter(
            try folder(of: key), legacy: options, maxInFlight: max(1, maxInFlight),
            isUnique: { () throws(MessageLogError) in try await conditions.found().honoursAbsent })
    }

    /// Makes a reader; see ``Broker/makeReader(of:for:options:)``.
    public func makeReader(
        of pattern: RoutingPattern, for consumer: ConsumerName, options: ReaderOptions
    ) async throws(MessageLogError) -> any MessageReader {
        if let key = pattern.key { return try await makeReader(of: key, for: consumer, options: options) }
        return PatternReader(
            PatternReader.Source(
                keys: { () throws(MessageLogError) in try await self.keys(matching: pattern) },
                makeReader: { key, options throws(MessageLogError) in
                    try await self.makeReader(of: key, for: consumer, options: options)
                }), options: options,
            clock: ConsumerClock(now: environment.elapsed, sleep: environment.sleep))
    }

    private func makeReader(
        of key: RoutingKey, for consumer: ConsumerName, options: ReaderOptions
    ) async throws(MessageLogError) -> any MessageReader {
        let name = try options.cursor.map { text throws(MessageLogError) in try ConsumerName(text) } ?? consumer
        let folder = try folder(of: key)
        let cursor = try await cursor(name, of: folder, in: options.cursorFolder)
        let lease: (any Lease)?
        // It lies where the cursor lies: those who do not share the one need not wait for each other.
        if let files = cursor.store as? FileObjectStore {
            let object = cursor.isShared ? cursor.object : try folder.base.object("leases/\(name)")
            lease = FileLease(store: files, object: object, environment: environment)
        } else if try await isConditional() {
            lease = try StoreLease(folder: folder.base, name: name.description, logger: logger)
        } else {
            lease = nil
        }
        return LegacyReader(
            folder, cursor: cursor, lease: lease, legacy: self.options, options: options)
    }

    /// Whether the store honours the conditions by which cursors are fenced and leases held.
    func isConditional() async throws(MessageLogError) -> Bool { try await conditions.found().honoursMatches }

    /// The keys that have messages and match, in order.
    ///
    /// Of a key that has more than a thousand messages, those are passed over from there to tomorrow, and with them keys
    /// below it whose next word would stand among their names, as `2026-11X` does.
    public func keys(matching pattern: RoutingPattern) async throws(MessageLogError) -> [RoutingKey] {
        let names = names
        let tomorrow = UTCTime(microseconds: environment.now().microseconds + 86_400_000_000)
        let walk = KeyWalk(store: store, prefix: prefix, lastName: names.name(of: tomorrow)) { page, path in
            page.objects.contains { object in
                let name = object.key.description.utf8.dropFirst(path.utf8.count)
                return names.time(of: String(decoding: name, as: UTF8.self)) != nil
            }
        }
        return try await walk.keys(matching: pattern)
    }

    /// Closes the store.
    public func close() async {
        await store.close()
        for folder in cursorStores.withLock({ $0.values }) { await folder.close() }
    }

    /// The store in a folder of cursors; one for all keys.
    func cursorStore(in folder: String) -> FileObjectStore {
        cursorStores.withLock { stores in
            if let store = stores[folder] { return store }
            let store = FileObjectStore(root: FilePath(folder))
            stores[folder] = store
            return store
        }
    }

    func folder(of key: RoutingKey) throws(MessageLogError) -> LegacyFolder {
        LegacyFolder(
            base: try LogFolder(store: store, prefix: prefix, key: key, environment: environment), names: names)
    }
}

/// Finds out once which conditions of puts a store honours.
private actor StoreConditions {
    private let store: any ObjectStore
    private let prefix: String
    private var known: ConditionalPuts?

    init(store: any ObjectStore, prefix: String) {
        self.store = store
        self.prefix = prefix
    }

    func found() async throws(MessageLogError) -> ConditionalPuts {
        if let known { return known }
        // Its conditions are its own; to try them would make a folder where somebody only looks for messages.
        if store is FileObjectStore { return ConditionalPuts(honoursAbsent: true, honoursMatches: true) }
        do {
            let found = try await store.conditionalPuts(under: prefix)
            known = found
            return found
        } catch {
            throw MessageLogError(error, "cannot find out what the store \(store) offers")
        }
    }
}
