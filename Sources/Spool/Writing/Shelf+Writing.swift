import Synchronization
import SystemPackage

/// What the writer's side tells the others.
extension Shelf {
    /// Adds a segment that is there now, with its first block.
    func add(_ segment: Segment) {
        state.withLock { $0.segments.append(segment) }
        usedBytes.add(segment.size, ordering: .sequentiallyConsistent)
    }

    /// Lets the reader have a block that was added to the last segment, whose file is named when it is yet to be made safe.
    func publish(_ count: Int, endOrdinal: UInt64, unsynchronized file: SegmentFile?) {
        usedBytes.add(count, ordering: .sequentiallyConsistent)
        state.withLock { state in
            let last = state.segments.count - 1
            state.segments[last].size += count
            state.segments[last].endOrdinal = endOrdinal
            state.writtenOrdinal = endOrdinal
            state.counts.isDiskFull = false
            if let file, state.unsynchronized.last !== file { state.unsynchronized.append(file) }
            if file != nil { wakeCaretaker(&state) }
            if state.readerWaits {
                state.readerWaits = false
                readable.ring()
            }
        }
    }

    /// Notes that nothing will be added to the last segment.
    func seal() -> Errno? {
        state.withLock { state in
            guard !state.segments.isEmpty else { return }
            state.segments[state.segments.count - 1].isSealed = true
        }
        return collect()
    }

    /// Removes the oldest segment that nothing will be added to, and counts what nobody had read of it.
    ///
    /// - Returns: false when there is none.
    func dropOldest() -> Bool {
        let (dropped, isLast) = state.withLock { state -> (Segment?, Bool) in
            guard let first = state.segments.first, first.isSealed else { return (nil, false) }
            state.segments.removeFirst()
            let start = max(first.firstOrdinal, state.position)
            if start < first.endOrdinal { state.counts.droppedOldest += first.endOrdinal - start }
            state.position = max(state.position, first.endOrdinal)
            state.acknowledgedOrdinal = max(state.acknowledgedOrdinal, first.endOrdinal)
            return (first, state.segments.isEmpty)
        }
        guard let dropped else { return false }
        // Without a segment only the cursor says which sequence numbers were given out.
        if isLast { _ = writeCursor(synchronized: synchronizesCursor) }
        remove([dropped])
        return true
    }

    /// Counts the records of a block that will never be written; there is no segment left when that happens.
    func discard(_ recordCount: Int, endOrdinal: UInt64) {
        state.withLock { state in
            state.counts.droppedOldest += UInt64(recordCount)
            state.writtenOrdinal = endOrdinal
            state.skip(to: endOrdinal)
        }
    }

    /// Counts a record that was not taken.
    func refuse() {
        state.withLock { $0.counts.droppedNewest += 1 }
    }

    /// Notes that the disk has no room for a block; the caretaker will try again.
    func diskIsFull() {
        state.withLock { state in
            state.counts.isDiskFull = true
            wakeCaretaker(&state)
        }
    }

    /// Notes that there is no block any more for which a full disk has no room.
    func noBlockWaits() {
        state.withLock { $0.counts.isDiskFull = false }
    }

    /// Waits until something was removed, or `timeout` has passed, unless there is room already.
    func waitForRoom(for timeout: Duration? = nil, unless isThere: () -> Bool) {
        state.withLock { $0.writerWaits = true }
        // What was removed before that line rang nothing.
        if isThere() || isInterrupted.load(ordering: .sequentiallyConsistent) { return }
        room.wait(for: timeout)
    }

    /// Has ``room`` rung when something is removed from now on.
    func askForRoom() {
        state.withLock { state in
            guard !state.writerWaits else { return }
            room.reset()
            state.writerWaits = true
        }
    }

    /// Why a synchronization in the background failed, once.
    func takeFailure() -> Errno? {
        state.withLock { state in
            defer { state.synchronizationFailure = nil }
            return state.synchronizationFailure
        }
    }

    private func wakeCaretaker(_ state: inout State) {
        guard state.caretakerWaits else { return }
        state.caretakerWaits = false
        work.ring()
    }
}
