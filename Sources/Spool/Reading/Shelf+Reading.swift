import Synchronization
import SystemPackage

/// What the reader's side asks and tells.
extension Shelf {
    /// What the reader does next.
    enum Step {
        /// There is nothing now; ``Shelf/readable`` will be rung.
        case nothing
        case read(Segment, offset: Int)
    }

    /// What became of a block that the reader found.
    enum Delivery {
        /// Its segment was removed meanwhile, or all of it was acknowledged before.
        case none
        case records(skipping: Int, missing: UInt64)
    }

    /// Where the next block may be.
    func step() -> Step {
        state.withLock { state in
            while let segment = state.segments.first(where: { $0.firstSequence >= state.readerSegment }) {
                if segment.firstSequence != state.readerSegment || state.readerOffset == 0 { state.enter(segment) }
                if state.readerOffset < segment.size { return .read(segment, offset: state.readerOffset) }
                guard segment.isSealed else { break }
                state.leave(segment)
            }
            if !state.readerWaits {
                readable.reset()
                state.readerWaits = true
            }
            return .nothing
        }
    }

    /// Takes a block as handed out, as far as it is not yet.
    func deliver(_ block: BlockHeader, of segment: Segment, upTo offset: Int) -> Delivery {
        state.withLock { state in
            guard state.moveReader(in: segment, to: offset), block.endOrdinal > state.position else { return .none }
            if block.firstOrdinal > state.position {
                state.counts.corruptRecords += block.firstOrdinal - state.position
                state.position = block.firstOrdinal
            }
            let missing = state.position - state.deliveredOrdinal
            let skipping = Int(state.position - block.firstOrdinal)
            state.position = block.endOrdinal
            state.deliveredOrdinal = block.endOrdinal
            state.deliveredSequence = block.firstSequence + UInt64(block.recordCount) - 1
            state.counts.deliveredRecords += UInt64(block.recordCount - skipping)
            return .records(skipping: skipping, missing: missing)
        }
    }

    /// Skips a stretch of a segment that cannot be read, and counts it.
    func skipDamage(in segment: Segment, from start: Int, upTo offset: Int) {
        state.withLock { state in
            guard state.moveReader(in: segment, to: offset) else { return }
            state.countDamage(offset - start)
        }
    }

    /// Moves the cursor.
    ///
    /// - Returns: false when it is there already, or further.
    func acknowledge(through sequence: UInt64) throws(SpoolError) -> Bool {
        try state.withLock { state throws(SpoolError) in
            guard sequence <= state.deliveredSequence else {
                throw SpoolError(
                    .invalidArgument,
                    "record \(sequence) cannot be acknowledged: the last one handed out is \(state.deliveredSequence)")
            }
            // A segment that is gone, with its records, was dropped.
            guard let segment = state.segments.last(where: { $0.firstSequence <= sequence }) else { return false }
            let ordinal = min(segment.firstOrdinal + (sequence - segment.firstSequence) + 1, segment.endOrdinal)
            guard ordinal > state.cursorOrdinal, sequence > state.cursorSequence else { return false }
            state.cursorOrdinal = ordinal
            state.cursorSequence = sequence
            let end = ordinal >= state.deliveredOrdinal ? state.position : ordinal
            state.acknowledgedOrdinal = max(state.acknowledgedOrdinal, end)
            return true
        }
    }
}

extension Shelf.State {
    fileprivate mutating func enter(_ segment: Segment) {
        readerSegment = segment.firstSequence
        readerOffset = SegmentHeader.count
        // What is missing before it was dropped, or counted as damaged where it was.
        skip(to: segment.firstOrdinal)
        guard segment.mark == nil else { return }
        readerOffset = max(segment.size, 1)
        countDamage(segment.size)
    }

    fileprivate mutating func leave(_ segment: Segment) {
        if segment.endOrdinal > position {
            counts.corruptRecords += segment.endOrdinal - position
            skip(to: segment.endOrdinal)
        }
        readerSegment = segment.firstSequence + 1
        readerOffset = 0
    }

    fileprivate mutating func moveReader(in segment: Segment, to offset: Int) -> Bool {
        guard readerSegment == segment.firstSequence,
            segments.contains(where: { $0.firstSequence == segment.firstSequence })
        else { return false }
        readerOffset = offset
        return true
    }

    fileprivate mutating func countDamage(_ bytes: Int) {
        counts.corruptPlaces += 1
        counts.corruptBytes += UInt64(bytes)
    }
}
