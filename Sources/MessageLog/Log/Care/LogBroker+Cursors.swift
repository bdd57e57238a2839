import ObjectStorage
import Synchronization
import SystemPackage

extension LogBroker: CursorKeeper {
    /// The cursors of a key; see ``CursorKeeper/cursorReadings(of:in:)``.
    public func cursorReadings(
        of key: RoutingKey, in folder: String?
    ) async throws(MessageLogError) -> [CursorReading] {
        let log = try self.folder(of: key)
        let shelf = try shelf(of: log, in: folder)
        var found: [(name: ConsumerName, content: Result<CursorObject.Content, MessageLogError>)] = []
        for name in try await shelf.names() {
            let cursor = try shelf.cursor(name)
            let content = try await CursorReading.result { () async throws(MessageLogError) -> CursorObject.Content? in
                try await cursor.read()
            }
            if let content { found.append((name, content)) }
        }
        // Read before them it would be behind those that move.
        let end = try await log.end().sequence
        return found.map { name, content in
            CursorReading(name: name, info: content.map { CursorInfo(name, $0, end: end) })
        }
    }

    /// A cursor; see ``CursorKeeper/cursor(_:of:in:)``.
    public func cursor(
        _ name: ConsumerName, of key: RoutingKey, in folder: String?
    ) async throws(MessageLogError) -> CursorInfo {
        let log = try self.folder(of: key)
        let object = try shelf(of: log, in: folder).cursor(name)
        return CursorInfo(name, try await existing(object), end: try await log.end().sequence)
    }

    /// Moves a cursor; see ``CursorKeeper/setCursor(_:of:in:to:)``.
    @discardableResult
    public func setCursor(
        _ name: ConsumerName, of key: RoutingKey, in folder: String?, to start: ReaderOptions.Start
    ) async throws(MessageLogError) -> CursorInfo {
        let log = try self.folder(of: key)
        return try await write(try await log.place(for: start), to: name, of: log, in: folder)
    }

    /// Copies a cursor; see ``CursorKeeper/copyCursor(_:to:of:in:)``.
    @discardableResult
    public func copyCursor(
        _ name: ConsumerName, to other: ConsumerName, of key: RoutingKey, in folder: String?
    ) async throws(MessageLogError) -> CursorInfo {
        let log = try self.folder(of: key)
        let state = try await existing(try shelf(of: log, in: folder).cursor(name)).state
        return try await write(
            LogPlace(sequence: state.sequence, segment: state.segment), to: other, of: log, in: folder)
    }

    /// Deletes a cursor; see ``CursorKeeper/deleteCursor(_:of:in:)``.
    public func deleteCursor(
        _ name: ConsumerName, of key: RoutingKey, in folder: String?
    ) async throws(MessageLogError) {
        let cursor = try shelf(of: try self.folder(of: key), in: folder).cursor(name)
        guard try await cursor.tag() != nil else { throw Self.noCursor(cursor) }
        do {
            try await cursor.store.delete(cursor.object)
        } catch {
            throw MessageLogError(error, "cannot delete the cursor \(cursor.object) in \(cursor.store)")
        }
    }

    private func existing(_ cursor: CursorObject) async throws(MessageLogError) -> CursorObject.Content {
        guard let content = try await cursor.read() else { throw Self.noCursor(cursor) }
        return content
    }

    private static func noCursor(_ cursor: CursorObject) -> MessageLogError {
        MessageLogError(.notFound, "there is no cursor \(cursor.object) in \(cursor.store)")
    }

    /// Writes a cursor, whoever else does so meanwhile; a consumer that has it open loses it.
    private func write(
        _ place: LogPlace, to name: ConsumerName, of log: LogFolder, in folder: String?
    ) async throws(MessageLogError) -> CursorInfo {
        let cursor = try shelf(of: log, in: folder).cursor(name)
        let holder = WriterID(high: environment.random(), low: environment.random()).description
        let state = CursorState(place, holder: holder, log: cursor.log)
        while true {
            let tag = try await cursor.tag()
            if try await cursor.write(state, if: tag.map { .matches($0) } ?? .absent) != nil { break }
            // It got through without an answer.
            if try await cursor.read()?.state == state { break }
        }
        return CursorInfo(name, try await existing(cursor), end: try await log.end().sequence)
    }

    func shelf(of log: LogFolder, in folder: String?) throws(MessageLogError) -> CursorShelf {
        let name = "\(description) \(log.key)"
        guard let folder else {
            return CursorShelf(store: store, path: log.path + "cursors/", log: name, environment: environment)
        }
        guard !folder.isEmpty else { throw MessageLogError(.invalidArgument, "the folder of cursors has no name") }
        return CursorShelf(
            store: cursorStore(folder), path: "\(log.key)/", log: name, environment: environment, isShared: true)
    }

    /// The store in a folder of cursors; one for all keys.
    private func cursorStore(_ folder: String) -> FileObjectStore {
        cursorStores.withLock { stores in
            if let store = stores[folder] { return store }
            let store = FileObjectStore(root: FilePath(folder))
            stores[folder] = store
            return store
        }
    }
}

/// Where a key's cursors are.
struct CursorShelf: Sendable {
    let store: any ObjectStore
    /// What their objects' names begin with.
    let path: String
    /// The log that they belong to.
    let log: String
    let environment: LogEnvironment
    /// Whether those of other logs can be in the same place.
    var isShared = false

    func cursor(_ name: ConsumerName) throws(MessageLogError) -> CursorObject {
        do {
            return CursorObject(
                store: store, object: try ObjectKey("\(path)\(name)"), log: log, environment: environment,
                isShared: isShared)
        } catch {
            throw MessageLogError(error, "there can be no cursor '\(name)'")
        }
    }

    /// The names of those that there are, in order.
    func names() async throws(MessageLogError) -> [ConsumerName] {
        var names: [ConsumerName] = []
        var query = ListQuery(prefix: path)
        repeat {
            let page: ObjectPage
            do {
                page = try await store.list(query)
            } catch {
                throw MessageLogError(error, "cannot list the cursors '\(path)' in \(store)")
            }
            names += page.objects.compactMap { try? ConsumerName(String($0.key.description.dropFirst(path.count))) }
            query.startAfter = page.next
        } while query.startAfter != nil
        return names
    }
}

extension CursorInfo {
    fileprivate init(_ name: ConsumerName, _ content: CursorObject.Content, end: UInt64) {
        let sequence = content.state.sequence
        self.init(
            name: name, next: .sequence(sequence), waiting: end >= sequence ? end - sequence : nil,
            moved: content.written)
    }
}
