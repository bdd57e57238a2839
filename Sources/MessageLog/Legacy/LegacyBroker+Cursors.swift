import CivilTime
import ObjectStorage

extension LegacyBroker: CursorKeeper {
    /// The cursors of a key; see ``CursorKeeper/cursorReadings(of:in:)``.
    public func cursorReadings(
        of key: RoutingKey, in folder: String?
    ) async throws(MessageLogError) -> [CursorReading] {
        let messages = try self.folder(of: key)
        var found: [CursorReading] = []
        for name in try await shelf(of: messages, in: folder).names() {
            let cursor = try await cursor(name, of: messages, in: folder)
            let result = try await CursorReading.result { () async throws(MessageLogError) -> CursorInfo? in
                guard let stored = try await cursor.read() else { return nil }
                return try await info(name, stored.progress, stored.mark, of: messages)
            }
            if let result { found.append(CursorReading(name: name, info: result)) }
        }
        return found
    }

    /// A cursor; see ``CursorKeeper/cursor(_:of:in:)``.
    public func cursor(
        _ name: ConsumerName, of key: RoutingKey, in folder: String?
    ) async throws(MessageLogError) -> CursorInfo {
        let messages = try self.folder(of: key)
        let (progress, mark) = try await existing(cursor(name, of: messages, in: folder))
        return try await info(name, progress, mark, of: messages)
    }

    /// Moves a cursor; see ``CursorKeeper/setCursor(_:of:in:to:)``.
    ///
    /// There are no numbers to move it to.
    @discardableResult
    public func setCursor(
        _ name: ConsumerName, of key: RoutingKey, in folder: String?, to start: ReaderOptions.Start
    ) async throws(MessageLogError) -> CursorInfo {
        let messages = try self.folder(of: key)
        let cursor = try await cursor(name, of: messages, in: folder)
        let lookBack = options.lookBackMicroseconds
        return try await write(cursor, name, of: messages) { mark throws(MessageLogError) in
            try await cursor.set(to: start, of: messages, lookBack: lookBack, over: mark)
        }
    }

    /// Copies a cursor; see ``CursorKeeper/copyCursor(_:to:of:in:)``.
    @discardableResult
    public func copyCursor(
        _ name: ConsumerName, to other: ConsumerName, of key: RoutingKey, in folder: String?
    ) async throws(MessageLogError) -> CursorInfo {
        let messages = try self.folder(of: key)
        let (progress, _) = try await existing(cursor(name, of: messages, in: folder))
        let cursor = try await cursor(other, of: messages, in: folder)
        return try await write(cursor, other, of: messages) { mark throws(MessageLogError) in
            (progress, try await cursor.write(progress, over: mark))
        }
    }

    /// Deletes a cursor; see ``CursorKeeper/deleteCursor(_:of:in:)``.
    public func deleteCursor(
        _ name: ConsumerName, of key: RoutingKey, in folder: String?
    ) async throws(MessageLogError) {
        let cursor = try await cursor(name, of: self.folder(of: key), in: folder)
        _ = try await existing(cursor)
        do {
            try await cursor.store.delete(cursor.object)
        } catch {
            throw MessageLogError(error, "cannot delete the cursor \(cursor.object) in \(cursor.store)")
        }
    }

    // MARK: One cursor.

    /// A cursor of a key, in its own folder or in another one.
    func cursor(
        _ name: ConsumerName, of messages: LegacyFolder, in folder: String?
    ) async throws(MessageLogError) -> LegacyCursor {
        let place = try shelf(of: messages, in: folder).cursor(name)
        // A folder of this host honours conditions whatever the store of the messages does.
        let isFenced = folder == nil ? try await isConditional() : true
        return LegacyCursor(
            store: place.store, object: place.object, log: place.log, environment: messages.base.environment,
            isShared: place.isShared, isFenced: isFenced)
    }

    private func shelf(of messages: LegacyFolder, in folder: String?) throws(MessageLogError) -> CursorShelf {
        let name = "\(description) \(messages.key)"
        let environment = messages.base.environment
        guard let folder else {
            return CursorShelf(
                store: messages.base.store, path: messages.base.path + "cursors/", log: name, environment: environment)
        }
        guard !folder.isEmpty else { throw MessageLogError(.invalidArgument, "the folder of cursors has no name") }
        return CursorShelf(
            store: cursorStore(in: folder), path: "legacy/\(messages.key)/", log: name, environment: environment,
            isShared: true)
    }

    private func existing(
        _ cursor: LegacyCursor
    ) async throws(MessageLogError) -> (LegacyProgress, LegacyCursor.Mark) {
        guard let stored = try await cursor.read() else {
            throw MessageLogError(.notFound, "there is no cursor \(cursor.object) in \(cursor.store)")
        }
        return stored
    }

    /// Writes a cursor, whoever else does so meanwhile; a consumer that has it open loses it.
    private func write(
        _ cursor: LegacyCursor, _ name: ConsumerName, of messages: LegacyFolder,
        _ body: (LegacyCursor.Mark) async throws(MessageLogError) -> (LegacyProgress, LegacyCursor.Mark)
    ) async throws(MessageLogError) -> CursorInfo {
        let holder = cursor.newHolder()
        while true {
            var mark = LegacyCursor.noMark
            // What it says does not matter, so that one that is corrupt can be set anew.
            mark.tag = try await cursor.tag()
            mark.holder = holder
            do throws(MessageLogError) {
                _ = try await body(mark)
                let (progress, written) = try await existing(cursor)
                return try await info(name, progress, written, of: messages)
            } catch {
                guard error.code == .leaseLost else { throw error }
            }
        }
    }

    /// What a cursor tells: the first message that waits, or the name behind which the next one will be.
    private func info(
        _ name: ConsumerName, _ progress: LegacyProgress, _ mark: LegacyCursor.Mark, of messages: LegacyFolder
    ) async throws(MessageLogError) -> CursorInfo {
        let page = try await messages.list(after: progress.floor)
        let waiting = page.entries.filter { !progress.handled.contains($0.name) }
        let next = waiting.first?.name ?? progress.handled.max() ?? progress.floor
        return CursorInfo(
            name: name, next: .name(next), waiting: page.end == nil ? UInt64(waiting.count) : nil,
            moved: mark.modified ?? messages.base.environment.now())
    }
}
