import CivilTime
import ObjectStorage

/// Reads a key in the legacy layout on behalf of a consumer.
///
/// It lists the names behind the cursor, page by page, and reads some objects at a time. When it has come to the end it
/// begins again at the cursor, which stays a little behind, so that messages that turn up late are found.
actor LegacyReader: MessageReader {
    private let folder: LegacyFolder
    private let legacy: LegacyOptions
    private let options: ReaderOptions
    private let cursor: LegacyCursor
    /// What makes the readers of one name take turns, on stores that allow it.
    private let lease: (any Lease)?
    private let turns = Turns()

    private var progress = LegacyProgress()
    /// The cursor as this reader wrote it last; `nil` as long as it has not begun.
    private var mark: LegacyCursor.Mark?
    /// Whether it began before, so that what the options say of the beginning is done.
    private var hasBegun = false
    /// Whether there are messages, or a cursor.
    private var isKnown = false
    /// Whether something has been handled that the cursor does not tell of yet.
    private var isDirty = false
    private var isClosed = false

    init(
        _ folder: LegacyFolder, cursor: LegacyCursor, lease: (any Lease)?, legacy: LegacyOptions, options: ReaderOptions
    ) {
        self.folder = folder
        self.cursor = cursor
        self.lease = lease
        self.legacy = legacy
        self.options = options
    }

    func takeLease() async throws(MessageLogError) -> Bool {
        try await turns.run { () throws(MessageLogError) in
            try check()
            guard try await isThere() else { return true }
            return try await lease?.tryToTake() ?? true
        }
    }

    func leaseHolder() async -> String? { await lease?.otherHolder() }

    func next() async throws(MessageLogError) -> [Message] {
        try await turns.run { () throws(MessageLogError) in
            try check()
            guard try await isThere() else { return [] }
            try await open()
            var isLast = false
            while true {
                while progress.listed.isEmpty, !isLast { isLast = try await list() }
                guard !progress.listed.isEmpty else { return [] }
                let messages = try await read()
                if !messages.isEmpty { return messages }
            }
        }
    }

    /// Waits; no store tells of new objects by itself.
    func waitForMore(atMost limit: Duration) async throws(MessageLogError) {
        try check()
        try await folder.base.environment.wait(limit)
        try check()
    }

    func commit(through message: Message) async throws(MessageLogError) {
        guard case .name(let name) = message.position, message.key == folder.key else {
            throw MessageLogError(
                .invalidArgument,
                "message \(message.position) of \(message.key) is not one of \(folder.key) in the legacy layout")
        }
        try await turns.run { () throws(MessageLogError) in
            try check()
            guard let mark else {
                throw MessageLogError(.leaseLost, "this reader of \(folder.key) does not have the lease")
            }
            // Should writing fail, the next commit writes all of it.
            isDirty = progress.commit(through: name) || isDirty
            guard isDirty else { return }
            do throws(MessageLogError) {
                self.mark = try await cursor.write(progress, over: mark)
                isDirty = false
            } catch {
                if error.code == .leaseLost { await lose() }
                throw error
            }
        }
    }

    func rewind() async throws(MessageLogError) {
        try await turns.run { () throws(MessageLogError) in
            try check()
            progress.rewind()
        }
    }

    func close() async {
        isClosed = true
        await lease?.close()
    }

    private func check() throws(MessageLogError) {
        if isClosed { throw MessageLogError(.closed, "the reader of \(folder.key) was closed") }
    }

    // MARK: Lease and cursor.

    /// Whether there is anything that a cursor could be needed for.
    ///
    /// Who asks for a key that nobody has sent to leaves nothing behind, unless reading is to begin elsewhere than at the
    /// beginning: what is sent until the consumer comes again would be left out.
    private func isThere() async throws(MessageLogError) -> Bool {
        if isKnown || options.start != .beginning { return true }
        isKnown = try await cursor.tag() != nil
        if isKnown { return true }
        let page = try await folder.list(after: "")
        isKnown = !page.entries.isEmpty || page.end != nil
        return isKnown
    }

    private func open() async throws(MessageLogError) {
        do throws(MessageLogError) {
            if mark == nil {
                try await lease?.take()
                try await openCursor()
            } else {
                try await lease?.check()
            }
        } catch {
            if error.code == .leaseLost { await lose() }
            throw error
        }
    }

    /// Reads the cursor and writes it anew, so that whoever had the lease before cannot change it any more, and so that who
    /// is killed before the first message goes on at the same place.
    private func openCursor() async throws(MessageLogError) {
        let stored = try await cursor.read()
        var mark = stored?.mark ?? LegacyCursor.noMark
        mark.holder = cursor.newHolder()
        if let stored, hasBegun || !options.ignoresCursor {
            progress = stored.progress
            self.mark = try await cursor.write(progress, over: mark)
        } else {
            (progress, self.mark) = try await cursor.set(to: options.start, of: folder, lookBack: lookBack, over: mark)
        }
        isDirty = false
        hasBegun = true
    }

    /// Begins anew with the next call: with the lease, and with the cursor as it is then.
    private func lose() async {
        mark = nil
        progress = LegacyProgress()
        await lease?.release()
    }

    private var lookBack: Int64 { legacy.lookBackMicroseconds }

    // MARK: Listing and reading.

    private func list() async throws(MessageLogError) -> Bool {
        let page = try await folder.list(after: progress.next)
        return progress.add(page, names: folder.names, lookBack: lookBack)
    }

    /// Reads as many of the messages that are listed as may be handed out at a time.
    private func read() async throws(MessageLogError) -> [Message] {
        var entries: [LegacyFolder.Entry] = []
        var bytes = 0
        for entry in progress.listed {
            bytes = bytes.clampedSum(entry.size)
            if !entries.isEmpty, bytes > options.batchBytes { break }
            entries.append(entry)
        }
        let folder = folder
        let answers = await results(of: entries, width: legacy.readsInFlight) { entry throws(MessageLogError) in
            try await folder.read(entry)
        }
        var messages: [Message] = []
        var gone: Set<String> = []
        for (entry, answer) in zip(entries, answers) {
            if let message = try answer.get() { messages.append(message) } else { gone.insert(entry.name) }
        }
        progress.handOut(entries.count, without: gone)
        return messages
    }
}
