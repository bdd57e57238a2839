import CivilTime
import JSON
import ObjectStorage

/// How far a consumer is, as it stands in a store or a folder.
struct CursorState: Sendable, Equatable {
    /// The sequence number of the next message.
    var sequence: UInt64
    /// A segment at or before the one that this message is in, or will be; 0 where it is not known.
    var segment: UInt64
    /// Who wrote it: a random number that a reader takes when it takes the lease.
    var holder: String
    /// How often it was written, so that no content comes twice.
    var count: UInt64
    /// The log that it belongs to.
    var log: String

    func json(at time: UTCTime) -> [UInt8] {
        let value: JSONValue = [
            "version": 1, "sequence": .number(JSONNumber(sequence)), "segment": .number(JSONNumber(segment)),
            "holder": .string(holder), "count": .number(JSONNumber(count)), "log": .string(log),
            "time": .string(time.description),
        ]
        return value.bytes(pretty: true) + [UInt8(ascii: "\n")]
    }

    init(sequence: UInt64, segment: UInt64, holder: String, count: UInt64, log: String) {
        self.sequence = sequence
        self.segment = segment
        self.holder = holder
        self.count = count
        self.log = log
    }

    /// A cursor at a place where reading begins.
    init(_ place: LogPlace, holder: String, log: String) {
        self.init(sequence: place.sequence, segment: place.segment, holder: holder, count: 0, log: log)
    }

    /// Reads it; nil when it is none of this version.
    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONValue(parsing: bytes), value["version"]?.unsigned == 1,
            let sequence = value["sequence"]?.unsigned, 1...SegmentHeader.numberLimit ~= sequence
        else { return nil }
        self.init(
            sequence: sequence, segment: min(value["segment"]?.unsigned ?? 0, SegmentHeader.numberLimit - 1),
            holder: value["holder"]?.string ?? "", count: min(value["count"]?.unsigned ?? 0, 1 << 62),
            log: value["log"]?.string ?? "")
    }
}

/// A cursor's object; changed only as long as it is what it was known to be.
struct CursorObject: Sendable {
    let store: any ObjectStore
    let object: ObjectKey
    /// The log that the cursor belongs to; where cursors are kept in a folder, it tells those of different logs apart.
    let log: String
    let environment: LogEnvironment
    /// Whether one of another log can be in its place; one beside the messages is theirs, by whatever name they are reached.
    let isShared: Bool

    /// What it says.
    struct Content: Sendable {
        let state: CursorState
        let tag: EntityTag
        /// When it was written, by the store's clock.
        let written: UTCTime
    }

    /// Reads it; nil when there is none.
    func read() async throws(MessageLogError) -> Content? {
        guard let stored = try await store.cursor(object, atMost: LogFolder.noteLimit) else { return nil }
        guard stored.info.size <= LogFolder.noteLimit, let state = CursorState(stored.bytes) else {
            throw MessageLogError(
                .corrupt, "the cursor \(object) in \(store) cannot be understood: set it to where reading shall go on")
        }
        guard !isShared || state.log == log else {
            throw MessageLogError(
                .invalidArgument,
                "the cursor \(object) in \(store) belongs to another log, \(state.log): give this one another name or folder"
            )
        }
        return Content(state: state, tag: stored.info.tag, written: stored.info.modified)
    }

    /// Its tag, whatever it says; nil when there is none.
    func tag() async throws(MessageLogError) -> EntityTag? { try await store.cursorTag(object) }

    /// Writes it.
    ///
    /// - Returns: Its tag; nil when it is not as the condition has it any more, perhaps because of this very call.
    func write(_ state: CursorState, if condition: PutCondition) async throws(MessageLogError) -> EntityTag? {
        try await store.swap(
            object, for: state.json(at: environment.now()), if: condition,
            orSay: "cannot write the cursor \(object) in \(store)")
    }
}
