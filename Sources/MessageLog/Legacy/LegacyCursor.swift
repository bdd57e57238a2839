import CivilTime
import JSON
import ObjectStorage

/// The cursor of a consumer in the legacy layout: an object in JSON (docs/message-log.md).
///
/// On a store with conditional puts it is changed only as long as it is what it was known to be, so that a consumer that has
/// lost its lease cannot move it.
struct LegacyCursor: Sendable {
    let store: any ObjectStore
    let object: ObjectKey
    /// The messages that the cursor belongs to; where cursors are kept in a folder, it tells those of different stores apart.
    let log: String
    let environment: LogEnvironment
    /// Whether one of other messages can be in its place; one beside the messages is theirs, by whatever name they are
    /// reached.
    let isShared: Bool
    let isFenced: Bool

    /// How many bytes a cursor has at most: room for the names of two million messages.
    private static let limit = 64 << 20

    /// What it says beside how far the consumer is, and by what it is known.
    struct Mark: Sendable {
        /// Who wrote it: a random number that a reader takes when it takes the lease.
        var holder: String
        /// How often it was written, so that no content comes twice.
        var count: UInt64
        /// The object's tag; `nil` when there is none.
        var tag: EntityTag?
        /// When it was written, by the store's clock, as far as that was asked.
        var modified: UTCTime?
    }

    /// A number for whoever is to write it.
    func newHolder() -> String { WriterID(high: environment.random(), low: environment.random()).description }

    /// Reads it; `nil` when there is none.
    ///
    /// The old library's files are understood, too: they have the last object's name and nothing else.
    func read() async throws(MessageLogError) -> (progress: LegacyProgress, mark: Mark)? {
        guard let stored = try await store.cursor(object, atMost: Self.limit) else { return nil }
        guard stored.info.size <= Self.limit else {
            throw MessageLogError(
                .corrupt,
                "the cursor \(object) has \(stored.info.size) bytes, and \(Self.limit) are the most: set it anew, or delete "
                    + "it to begin again")
        }
        var mark = Mark(holder: "", count: 0, tag: stored.info.tag, modified: stored.info.modified)
        guard stored.bytes.first == UInt8(ascii: "{") else {
            let line = stored.bytes.prefix { $0 != UInt8(ascii: "\n") }
            let last = String(decoding: line, as: UTF8.self).split(separator: "/").last
            return (LegacyProgress(floor: last.map(String.init) ?? ""), mark)
        }
        guard let json = try? JSONValue(parsing: stored.bytes), json["version"] == 1, let floor = json["after"]?.string,
            let handled = json["handled"]?.array
        else {
            throw MessageLogError(
                .corrupt, "the cursor \(object) is none of the legacy layout: set it anew, or delete it to begin again")
        }
        if isShared, let other = json["log"]?.string, other != log {
            throw MessageLogError(
                .invalidArgument,
                "the cursor \(object) in \(store) belongs to other messages, \(other): give this one another name or folder"
            )
        }
        mark.holder = json["holder"]?.string ?? ""
        // Any number will do that is not the one before; one that cannot be counted on is no reason to fail.
        mark.count = min(json["count"]?.unsigned ?? 0, UInt64.max / 2)
        return (LegacyProgress(floor: floor, handled: Set(handled.compactMap(\.string))), mark)
    }

    /// The cursor before anything is known of it.
    static let noMark = Mark(holder: "", count: 0)

    /// Its tag, whatever it says; `nil` when there is none.
    func tag() async throws(MessageLogError) -> EntityTag? { try await store.cursorTag(object) }

    /// Has it stand where reading begins.
    ///
    /// - Returns: What counts as handled, and the cursor as it is now.
    func set(
        to start: ReaderOptions.Start, of messages: LegacyFolder, lookBack: Int64, over mark: Mark
    ) async throws(MessageLogError) -> (LegacyProgress, Mark) {
        var mark = mark
        var now = environment.now()
        while true {
            let progress = try await messages.progress(at: start, now: now, lookBack: lookBack)
            mark = try await write(progress, over: mark)
            guard start == .end, let written = try await read()?.mark.modified else { return (progress, mark) }
            // Where this host's clock is ahead, what comes now would be taken for what has been; the store's clock tells.
            guard written.microseconds < now.microseconds - 1_000_000 else { return (progress, mark) }
            now = written
        }
    }

    /// Writes it, and returns when that is durable.
    ///
    /// - Parameters:
    ///   - progress: What it is to tell.
    ///   - mark: The cursor as it was read or written last, with the holder that it is to have.
    /// - Returns: The cursor as it is now.
    /// - Throws: ``MessageLogError``; `leaseLost` when somebody else has written it meanwhile.
    func write(_ progress: LegacyProgress, over mark: Mark) async throws(MessageLogError) -> Mark {
        var mark = mark
        while true {
            mark.count += 1
            let json: JSONValue = [
                "version": 1, "after": .string(progress.floor),
                "handled": .array(progress.handled.sorted().map(JSONValue.string)), "log": .string(log),
                "holder": .string(mark.holder),
                "count": .number(JSONNumber(mark.count)), "time": .string(environment.now().description),
            ]
            let tag = try await store.swap(
                object, for: json.bytes(), if: isFenced ? mark.tag.map(PutCondition.matches) ?? .absent : .always,
                orSay: "cannot write the cursor \(object)")
            if let tag {
                mark.tag = tag
                return mark
            }
            // An earlier attempt of this reader that got through without an answer, or somebody else's.
            guard let stored = try await read(), stored.mark.holder == mark.holder else {
                throw MessageLogError(
                    .leaseLost, "the cursor \(object) was moved by another consumer of the name, or by hand")
            }
            mark = stored.mark
        }
    }
}
