import Synchronization
import SystemPackage

/// What the writer's side and the reader's side know in common: which segments there are, and how far each side is.
///
/// Records are counted by ordinals, which have no gaps, while sequence numbers may. An ordinal of a place stands for the
/// records before it.
final class Shelf: Sendable {
    struct State {
        var segments: [Segment] = []
        /// What lies before it was handed out, or will never be.
        var position: UInt64 = 0
        /// The end of the last record handed out.
        var deliveredOrdinal: UInt64 = 0
        var deliveredSequence: UInt64 = 0
        /// What lies before it nobody waits for any more.
        var acknowledgedOrdinal: UInt64 = 0
        /// The segment that the reader is in, or behind which it looks for the next, and its place there.
        var readerSegment: UInt64 = 0
        var readerOffset = 0
        /// What the cursor is to say.
        var cursorOrdinal: UInt64 = 0
        var cursorSequence: UInt64 = 0
        /// The end of the last record written; those behind it are in memory only.
        var writtenOrdinal: UInt64 = 0
        var counts = SpoolCounts()

        var readerWaits = false
        var writerWaits = false
        var caretakerWaits = false
        /// Files that a loss of power could still take something of.
        var unsynchronized: [SegmentFile] = []
        var synchronizationFailure: Errno?
    }

    let directory: SpoolDirectory
    let state: Mutex<State>
    /// The bytes that the segments take.
    let usedBytes: Atomic<Int>
    /// The bytes of the block that is not written yet.
    let pendingBytes = Atomic<Int>(0)
    /// How many records the spool has taken, those not written yet included.
    let nextOrdinal: Atomic<UInt64>
    let nextSequence: Atomic<UInt64>
    /// What the writer leaves for the next process to tell.
    let untold: Atomic<UInt32>
    let isInterrupted = Atomic<Bool>(false)
    let isClosed = Atomic<Bool>(false)

    let identity: UInt64
    private let boot: UInt64
    private let firstOrdinal: UInt64
    private let cursor: Mutex<CursorFile>
    let synchronizesCursor: Bool

    /// Rung when there may be something for the reader, for the writer that waits for room, and for the caretaker.
    let readable: Bell
    let room: Bell
    let work: Bell

    init(_ contents: consuming DirectoryContents, synchronizesCursor: Bool) throws(SpoolError) {
        directory = contents.directory
        identity = contents.cursor.slot.identity
        boot = contents.cursor.slot.boot
        usedBytes = Atomic(contents.segments.reduce(0) { $0 + $1.size })
        nextOrdinal = Atomic(contents.nextOrdinal)
        nextSequence = Atomic(contents.nextSequence)
        untold = Atomic(contents.cursor.slot.untold)
        firstOrdinal = contents.nextOrdinal
        readable = try Bell()
        room = try Bell()
        work = try Bell()
        self.synchronizesCursor = synchronizesCursor
        let slot = contents.cursor.slot
        var state = State()
        state.segments = contents.segments
        state.position = slot.acknowledgedOrdinal
        state.deliveredOrdinal = slot.acknowledgedOrdinal
        state.deliveredSequence = slot.acknowledgedSequence
        state.acknowledgedOrdinal = max(
            slot.acknowledgedOrdinal, contents.segments.first?.firstOrdinal ?? contents.nextOrdinal)
        state.cursorOrdinal = slot.acknowledgedOrdinal
        state.cursorSequence = slot.acknowledgedSequence
        state.writtenOrdinal = contents.nextOrdinal
        self.state = Mutex(state)
        cursor = Mutex(contents.cursor)
        readable.ring()
    }

    var counts: SpoolCounts {
        state.withLock { state in
            var counts = state.counts
            let taken = nextOrdinal.load(ordering: .relaxed)
            counts.waitingRecords = taken - min(taken, state.acknowledgedOrdinal)
            counts.appendedRecords = taken - firstOrdinal
            counts.usedBytes = usedBytes.load(ordering: .relaxed) + pendingBytes.load(ordering: .relaxed)
            return counts
        }
    }

    /// Ends the writer's wait for room, for good.
    func interrupt() {
        isInterrupted.store(true, ordering: .sequentiallyConsistent)
        room.ring()
    }

    /// Writes the cursor; nil when that worked.
    func writeCursor(synchronized: Bool) -> Errno? {
        cursor.withLock { cursor in
            let slot = state.withLock { state in
                CursorSlot(
                    identity: identity, acknowledgedSequence: state.cursorSequence,
                    acknowledgedOrdinal: state.cursorOrdinal, boot: boot,
                    nextSequence: nextSequence.load(ordering: .relaxed),
                    writtenOrdinal: state.writtenOrdinal, untold: untold.load(ordering: .relaxed))
            }
            if let error = cursor.write(slot) { return error }
            return synchronized ? cursor.synchronize() : nil
        }
    }

    /// Removes the segments that are done with; nil when that worked.
    func collect() -> Errno? {
        let finished = state.withLock { state in
            let count = state.segments.prefix { state.isFinished($0) }.count
            defer { state.segments.removeFirst(count) }
            return Array(state.segments.prefix(count))
        }
        guard !finished.isEmpty else { return nil }
        // An older cursor, put back by a loss of power, would have the removed records counted as lost.
        let error = synchronizesCursor ? writeCursor(synchronized: true) : nil
        remove(finished)
        return error
    }

    /// Leaves the directory as the next process is to find it; nil when that worked.
    func finish(synchronizes: Bool) -> Errno? {
        let (files, isDone) = state.withLock { state in
            let isDone = state.acknowledgedOrdinal >= nextOrdinal.load(ordering: .relaxed)
            if isDone {
                // A gap behind what was delivered, that no block has told of yet, is left for the next process's reader.
                state.cursorOrdinal = max(
                    state.cursorOrdinal, min(state.acknowledgedOrdinal, state.deliveredOrdinal))
                for index in state.segments.indices { state.segments[index].isSealed = true }
                state.readerSegment = .max
            }
            return (state.unsynchronized, isDone)
        }
        let failures = synchronizes && !isDone ? files.compactMap { $0.synchronize(in: directory) } : []
        return collect() ?? writeCursor(synchronized: synchronizes) ?? failures.first
    }

    /// Removes files that are no longer in the list, and tells the writer that there is room.
    func remove(_ segments: [Segment]) {
        for segment in segments {
            directory.remove(segment.name)
            usedBytes.subtract(segment.size, ordering: .sequentiallyConsistent)
        }
        state.withLock { state in
            if state.writerWaits {
                state.writerWaits = false
                room.ring()
            }
        }
    }
}

extension Shelf.State {
    /// Whether neither side needs a segment any more.
    func isFinished(_ segment: Segment) -> Bool {
        guard segment.isSealed, segment.endOrdinal <= acknowledgedOrdinal else { return false }
        return segment.firstSequence < readerSegment
            || (segment.firstSequence == readerSegment && readerOffset >= segment.size)
    }

    /// Moves the reader over records that nobody will get.
    mutating func skip(to ordinal: UInt64) {
        guard ordinal > position else { return }
        // When all that was handed out is acknowledged, nobody will acknowledge what is skipped but this.
        if acknowledgedOrdinal >= deliveredOrdinal { acknowledgedOrdinal = max(acknowledgedOrdinal, ordinal) }
        position = ordinal
    }
}
