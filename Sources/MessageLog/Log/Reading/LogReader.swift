import Logging
import ObjectStorage

/// Reads one key's log on an object store on behalf of a consumer (docs/message-log.md).
actor LogReader: MessageReader {
    private let folder: LogFolder
    private let options: ReaderOptions
    private let pollInterval: Duration
    private let cursor: CursorObject
    private let lease: any Lease
    private let logger: Logger
    private let prepare: @Sendable () async throws(MessageLogError) -> Void
    private let turns = Turns()
    private let ahead: ReadAhead

    /// The cursor, as this reader wrote it last.
    private var committed: (state: CursorState, tag: EntityTag)?
    private var isClosed = false
    /// Whether the cursor was opened before, so that what the options say of the beginning is done.
    private var hasBegun = false
    /// Whether there is a log, or a cursor of it.
    private var isKnown = false
    /// The segment that is fetched next, and what it has to begin with.
    private var place: Place?
    private var current: (segment: Segment, place: Segment.Place)?
    private var trail = Trail()
    private var startCheckedAt = Duration.zero
    /// When it was looked whether there is something behind what is not there; `nil` since reading began here.
    private var lookedAheadAt: Duration?

    private struct Place {
        var segment: UInt64
        /// The number of its first message, or the least that it may be behind a segment that is damaged.
        var first: UInt64
        var isExact: Bool
        /// The number of the first message that is handed out.
        var wanted: UInt64
    }

    /// How often it is looked whether what is not there has been removed.
    private static let startInterval = Duration.seconds(30)
    /// How often it is looked whether what is not there is missing.
    private static let lookInterval = Duration.seconds(300)
    /// How many messages are handed out at a time, so that many short ones take no more memory than a few long ones.
    private static let countLimit = 16_384

    init(
        folder: LogFolder, options: ReaderOptions, log: LogOptions, cursor: CursorObject, lease: any Lease,
        logger: Logger,
        prepare: @escaping @Sendable () async throws(MessageLogError) -> Void
    ) {
        self.folder = folder
        self.options = options
        self.cursor = cursor
        self.lease = lease
        self.logger = logger
        self.prepare = prepare
        pollInterval = log.pollInterval
        ahead = ReadAhead(folder, limit: log.readAheadBytes)
    }

    func takeLease() async throws(MessageLogError) -> Bool {
        try await turns.run { () throws(MessageLogError) in
            try checkOpen()
            try await prepare()
            guard try await isThere() else { return true }
            return try await lease.tryToTake()
        }
    }

    func leaseHolder() async -> String? { await lease.otherHolder() }

    func next() async throws(MessageLogError) -> [Message] {
        try await turns.run { () throws(MessageLogError) in
            guard try await open() else { return [] }
            while true {
                if let messages = takeMessages() { return messages }
                guard try await loadSegment() else { return [] }
            }
        }
    }

    func waitForMore(atMost limit: Duration) async throws(MessageLogError) {
        try checkOpen()
        guard current == nil else { return }
        try await folder.environment.wait(min(limit, pollInterval))
        try checkOpen()
    }

    func commit(through message: Message) async throws(MessageLogError) {
        guard case .sequence(let sequence) = message.position, sequence < SegmentHeader.numberLimit,
            message.key == folder.key
        else {
            throw MessageLogError(
                .invalidArgument, "message \(message.position) of \(message.key) is not of \(folder.key)")
        }
        try await turns.run { () throws(MessageLogError) in try await move(to: sequence + 1) }
    }

    func rewind() async throws(MessageLogError) {
        try await turns.run { () throws(MessageLogError) in
            try checkOpen()
            forgetPlace()
        }
    }

    func close() async {
        isClosed = true
        ahead.cancel()
        await lease.close()
    }

    private func checkOpen() throws(MessageLogError) {
        if isClosed { throw MessageLogError(.closed, "the reader of \(folder.key) was closed") }
    }

    // MARK: Lease and cursor

    /// Makes sure of lease and cursor.
    ///
    /// - Returns: Whether there is a log.
    private func open() async throws(MessageLogError) -> Bool {
        try checkOpen()
        do throws(MessageLogError) {
            if committed == nil {
                try await prepare()
                guard try await isThere() else { return false }
                try await lease.take()
                try await openCursor()
            } else {
                try await lease.check()
            }
        } catch {
            if error.code == .leaseLost { await lose() }
            throw error
        }
        if place == nil, let state = committed?.state { try await begin(at: state) }
        return true
    }

    /// Whether there is anything that a cursor could be needed for.
    ///
    /// Who asks for a key that nobody has sent to, by a slip of the pen perhaps, leaves nothing behind. Who begins elsewhere
    /// than at the beginning does, or what is sent until it comes again would be left out.
    private func isThere() async throws(MessageLogError) -> Bool {
        if isKnown || options.start != .beginning { return true }
        isKnown = try await cursor.tag() != nil
        if !isKnown { isKnown = try await folder.isBegun() }
        if !isKnown { isKnown = try await resumption(at: 1) != nil }
        return isKnown
    }

    /// Reads the cursor and writes it anew, so that whoever had the lease before cannot change it any more.
    ///
    /// A consumer that begins has a cursor before it gets its first message: where it is killed, it goes on there.
    private func openCursor() async throws(MessageLogError) {
        let environment = folder.environment
        let holder = WriterID(high: environment.random(), low: environment.random()).description
        let usesCursor = hasBegun || !options.ignoresCursor
        while true {
            let stored = usesCursor ? try await cursor.read() : nil
            let tag = usesCursor ? stored?.tag : try await cursor.tag()
            var state: CursorState
            if let stored {
                state = stored.state
            } else {
                let place = try await folder.place(for: options.start)
                state = CursorState(place, holder: holder, log: cursor.log)
            }
            state.holder = holder
            state.count += 1
            guard let new = try await cursor.write(state, if: tag.map { .matches($0) } ?? .absent) else { continue }
            committed = (state, new)
            hasBegun = true
            return
        }
    }

    private func move(to sequence: UInt64) async throws(MessageLogError) {
        try checkOpen()
        guard var (state, tag) = committed else {
            throw MessageLogError(.leaseLost, "this reader of \(folder.key) does not have the lease")
        }
        guard sequence > state.sequence else { return }
        state.sequence = sequence
        state.segment = max(state.segment, trail.segment(of: sequence))
        while true {
            state.count += 1
            if let new = try await cursor.write(state, if: .matches(tag)) {
                committed = (state, new)
                trail.drop(before: sequence)
                return
            }
            // An earlier attempt of this reader that got through without an answer, or somebody else's.
            guard let stored = try await cursor.read(), stored.state.holder == state.holder else {
                await lose()
                throw MessageLogError(
                    .leaseLost, "the cursor \(cursor.object) in \(cursor.store) was changed by another consumer, or set"
                )
            }
            tag = stored.tag
            state.count = max(state.count, stored.state.count)
        }
    }

    /// Begins anew with the next call: with the lease, and with the cursor as it is then.
    private func lose() async {
        committed = nil
        forgetPlace()
        await lease.release()
    }

    private func forgetPlace() {
        place = nil
        current = nil
        lookedAheadAt = nil
        trail = Trail()
        ahead.cancel()
    }

    // MARK: Segments

    /// Finds the segment that reading begins with.
    private func begin(at state: CursorState) async throws(MessageLogError) {
        lookedAheadAt = nil
        let sequence = state.sequence
        let start = try await folder.start()
        startCheckedAt = folder.environment.elapsed()
        guard sequence >= start.sequence else { throw folder.expired(sequence, start: start) }
        let hint = max(state.segment, start.segment)
        if let first = try await first(of: hint, for: sequence, start: start) {
            place = Place(segment: hint, first: first.sequence, isExact: first.isExact, wanted: sequence)
            return
        }
        let found = try await folder.place(ofSequence: sequence, orSay: .expired)
        let first = try await first(of: found.segment, for: sequence, start: start)
        place = Place(
            segment: found.segment, first: first?.sequence ?? 1, isExact: first?.isExact ?? false, wanted: sequence)
    }

    /// What a segment begins with, if a message is in it, or behind it, or will be; nil when it is before it.
    private func first(
        of segment: UInt64, for sequence: UInt64, start: LogStart
    ) async throws(MessageLogError) -> (sequence: UInt64, isExact: Bool)? {
        switch try await folder.header(segment) {
        case .intact(let header): return header.firstSequence <= sequence ? (header.firstSequence, true) : nil
        case .damaged: return (1, false)
        case .absent: break
        }
        guard segment > start.segment else { return sequence == start.sequence ? (sequence, true) : nil }
        switch try await folder.header(segment - 1) {
        case .intact(let header): return header.endSequence == sequence ? (sequence, true) : nil
        case .damaged: return (1, false)
        case .absent: return nil
        }
    }

    private func takeMessages() -> [Message]? {
        guard case (let segment, var place)? = current else { return nil }
        guard !segment.isEnd(place) else {
            current = nil
            return nil
        }
        let messages = segment.take(
            from: &place, bytes: options.batchBytes, count: Self.countLimit, key: folder.key)
        current = segment.isEnd(place) ? nil : (segment, place)
        return messages
    }

    /// Fetches the next segment.
    ///
    /// - Returns: Whether there is one.
    private func loadSegment() async throws(MessageLogError) -> Bool {
        guard var place else { return false }
        switch try await ahead.fetch(place.segment) {
        case .absent:
            try await checkStart(olderThan: Self.startInterval)
            guard let next = try await resumption(at: place.segment) else {
                // A cursor may name a segment far back, so that only the end tells that its message is behind it.
                guard place.isExact, place.wanted > place.first else { return false }
                throw folder.beyond(place.wanted, end: place.first, .expired)
            }
            let what = next - 1 > place.segment ? "segments \(place.segment) to \(next - 1) are" : "it is"
            try pass(place.segment, "\(what) missing, and later ones are there")
            self.place = Place(segment: next, first: place.first, isExact: false, wanted: place.wanted)
        case .segment(let segment):
            // A put that was under way when its number was used and removed could have come to be there just now.
            try await checkStart(olderThan: LogOptions.freshKnowledge)
            let header = segment.header
            if place.isExact ? header.firstSequence != place.first : header.firstSequence < place.first {
                try pass(
                    place.segment, "its first message is \(header.firstSequence), and \(place.first) was expected")
                place.wanted = max(place.wanted, place.first)
            }
            var position = segment.start
            segment.skip(to: place.wanted, &position)
            current = (segment, position)
            trail.add(segment: place.segment, first: header.firstSequence, end: header.endSequence)
            self.place = Place(
                segment: place.segment + 1, first: max(place.first, header.endSequence), isExact: true,
                wanted: max(place.wanted, header.endSequence))
        case .damaged(let header, let reason):
            try pass(place.segment, reason)
            let isKnown = place.isExact && header?.firstSequence == place.first
            self.place = Place(
                segment: place.segment + 1, first: isKnown ? header?.endSequence ?? place.first : place.first,
                isExact: isKnown, wanted: place.wanted)
        }
        return true
    }

    /// Where to go on behind a segment that is not there and ought to be; nil where it is the end.
    ///
    /// It is looked for when the end is come to first, and then now and then.
    private func resumption(at number: UInt64) async throws(MessageLogError) -> UInt64? {
        let now = folder.environment.elapsed()
        if let lookedAheadAt, now - lookedAheadAt < Self.lookInterval { return nil }
        switch try await folder.lookAhead(of: number, lists: true) {
        case .missing(let later, let isNext):
            // Behind those that are missing may be another gap.
            lookedAheadAt = nil
            // A listing tells of all at once, however many are missing.
            return isNext ? later : number + 1
        case .removed(let start):
            throw folder.expired(place?.wanted ?? start.sequence, start: start)
        case .nothing, .appended:
            // When reading began here it was there, or this reader had just read it.
            if lookedAheadAt != nil { try await checkEnd(at: number) }
            lookedAheadAt = now
            return nil
        }
    }

    /// Makes sure that the log still ends where this reader waits, and was not emptied meanwhile.
    private func checkEnd(at number: UInt64) async throws(MessageLogError) {
        guard let place, place.isExact, number > 1, case .absent = try await folder.header(number - 1) else { return }
        // Retention never removes the last one; where it removed this one, there are others by now.
        guard try await folder.start().segment < number else { return }
        throw folder.beyond(place.wanted, end: try await folder.end().sequence, .expired)
    }

    /// Lets what is wrong with a segment pass, if the options say so.
    private func pass(_ segment: UInt64, _ reason: String) throws(MessageLogError) {
        let object = try folder.segment(segment)
        guard options.skipsCorrupt else {
            throw MessageLogError(
                .corrupt,
                "\(object) in \(folder.store) is corrupt: \(reason): restore it from a copy, or have corrupt segments skipped"
            )
        }
        logger.error(
            "a corrupt segment is skipped",
            metadata: ["object": "\(object)", "store": "\(folder.store)", "reason": "\(reason)"])
    }

    private func checkStart(olderThan age: Duration) async throws(MessageLogError) {
        guard let place, folder.environment.elapsed() - startCheckedAt >= age else { return }
        let start = try await folder.start()
        startCheckedAt = folder.environment.elapsed()
        if start.segment > place.segment { throw folder.expired(place.wanted, start: start) }
    }
}
