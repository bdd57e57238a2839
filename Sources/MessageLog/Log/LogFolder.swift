import ObjectStorage

/// The objects of one key's log, and how they are read.
struct LogFolder: Sendable {
    let store: any ObjectStore
    let key: RoutingKey
    let environment: LogEnvironment
    /// The folder's name, with `/` behind it.
    let path: String

    /// Checks that the names of all objects of the key's log will be possible.
    ///
    /// - Parameters:
    ///   - store: Where they are.
    ///   - prefix: What stands before the key's own folder, without `/` at its end; may be empty.
    ///   - key: Whose they are.
    ///   - environment: Time and chance.
    /// - Throws: ``MessageLogError`` with the code `invalidArgument`.
    init(
        store: any ObjectStore, prefix: String, key: RoutingKey, environment: LogEnvironment
    ) throws(MessageLogError) {
        self.store = store
        self.key = key
        self.environment = environment
        path = (prefix.isEmpty ? "" : prefix + "/") + key.path + "/"
        _ = try object("cursors/" + String(repeating: "x", count: 128))
    }

    /// The name of an object in the folder.
    func object(_ name: String) throws(MessageLogError) -> ObjectKey {
        do {
            return try ObjectKey(path + name)
        } catch {
            throw MessageLogError(error, "the key \(key) cannot be used below this prefix")
        }
    }

    /// The name of a segment.
    func segment(_ number: UInt64) throws(MessageLogError) -> ObjectKey { try object("log/" + Self.name(number)) }

    /// A number as segments are called by it: twenty digits, so that their names sort as they do.
    static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: 20 - digits.utf8.count) + digits
    }

    /// The number in a segment's name; nil for any other name.
    static func number(_ name: some StringProtocol) -> UInt64? {
        guard name.utf8.count == 20, let number = UInt64(name), 1..<SegmentHeader.numberLimit ~= number,
            Self.name(number) == name
        else { return nil }
        return number
    }

    /// Reads an object, or a part of it; nil when it is not there.
    func read(
        _ object: ObjectKey, range: Range<Int>? = nil
    ) async throws(MessageLogError) -> StoredObject? {
        do {
            return try await store.get(object, range: range)
        } catch {
            if error.code == .notFound { return nil }
            throw MessageLogError(error, "cannot read \(object)")
        }
    }

    /// Whether there is a segment of a number.
    func hasSegment(_ number: UInt64) async throws(MessageLogError) -> Bool {
        let object = try segment(number)
        do {
            _ = try await store.head(object)
            return true
        } catch {
            if error.code == .notFound { return false }
            throw MessageLogError(error, "cannot look for \(object)")
        }
    }

    /// Reads which segment is the oldest.
    func start() async throws(MessageLogError) -> LogStart {
        let object = try object("start")
        guard let stored = try await read(object, range: 0..<Self.noteLimit) else { return .first }
        guard stored.info.size <= Self.noteLimit, let start = LogStart(stored.bytes, tag: stored.info.tag) else {
            throw MessageLogError(
                .corrupt,
                "\(object) does not say where the log starts: restore it, or use a later version of this program")
        }
        return start
    }

    /// Whether there is a log, unless its first segments were taken away and `start` does not say so.
    func isBegun() async throws(MessageLogError) -> Bool {
        if try await hasSegment(1) { return true }
        return try await start() != .first
    }

    /// How many bytes an object has at most that is no segment; whatever was put there, no more is read.
    static let noteLimit = 64 << 10

    /// What a segment's header says.
    enum HeaderReading: Sendable {
        case absent
        case intact(SegmentHeader)
        /// It is damaged, and its object has that many bytes.
        case damaged(size: Int)
    }

    /// How often is asked again for what is damaged.
    static let attempts = 4

    /// Reads a segment's header, without its messages.
    func header(_ number: UInt64) async throws(MessageLogError) -> HeaderReading {
        let object = try segment(number)
        var size = 0
        // A header that arrived damaged need not be so in the store; to take it for that would cost numbers.
        for _ in 0..<Self.attempts {
            guard let stored = try await read(object, range: 0..<SegmentHeader.byteCount) else { return .absent }
            size = stored.info.size
            switch stored.bytes.withUnsafeBytes(SegmentHeader.read) {
            case .header(let header) where header.number == number: return .intact(header)
            case .unknownVersion(let version): throw .unknownVersion(version, object)
            default: break
            }
        }
        return .damaged(size: size)
    }
}

extension MessageLogError {
    static func unknownVersion(_ version: UInt32, _ object: ObjectKey) -> MessageLogError {
        MessageLogError(
            .laterVersion,
            "\(object) has version \(version) of the format, which this program does not know: use a later one")
    }
}
