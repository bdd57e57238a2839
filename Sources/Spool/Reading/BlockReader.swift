import Glibc
import SystemPackage

/// The reader's side: its way through the segments.
struct BlockReader {
    private let options: SpoolOptions
    private let shelf: Shelf
    private var walk: SegmentWalk?
    private var buffer = BlockBuffer(count: SegmentWalk.windowCount)
    private var isClosed = false

    init(_ options: SpoolOptions, shelf: Shelf) {
        self.options = options
        self.shelf = shelf
    }

    /// The next records.
    ///
    /// - Parameter isLoading: Whether a long record is read before it counts as handed out, and comes as a block.
    /// - Returns: The records; nil when there are none now.
    /// - Throws: ``SpoolError``: `closed`, `systemError`.
    mutating func next(loading isLoading: Bool) throws(SpoolError) -> SpoolDelivery? {
        try checkOpen()
        while true {
            guard case .read(let segment, let offset) = shelf.step() else {
                try collect()
                return nil
            }
            if walk?.segment.firstSequence != segment.firstSequence {
                try collect()
                try enter(segment)
            }
            if let delivery = try deliver(segment, at: offset, loading: isLoading) { return delivery }
        }
    }

    /// Hands out what stands at a place; nil when that was skipped.
    private mutating func deliver(
        _ segment: Segment, at offset: Int, loading isLoading: Bool
    ) throws(SpoolError) -> SpoolDelivery? {
        switch try look(at: offset, of: segment) {
        case .damage(let end):
            shelf.skipDamage(in: segment, from: offset, upTo: end)
        case .block(let header, let start):
            let end = offset + BlockHeader.count + header.payloadCount
            if case .records(let skipping, let missing) = shelf.deliver(header, of: segment, upTo: end),
                let buffer = walk?.buffer
            {
                return .block(SpoolBlock(header, in: buffer, at: start, skipping: skipping, missing: missing))
            }
        case .long(let header, let flag):
            let end = offset + BlockHeader.count + header.payloadCount
            guard let file = walk?.file else { return nil }
            var record = SpoolLongRecord(header, flag: flag, in: file, at: offset + BlockHeader.count)
            let loaded = isLoading ? try load(record, of: segment) : nil
            if isLoading, loaded == nil {
                shelf.skipDamage(in: segment, from: offset, upTo: end)
                return nil
            }
            guard case .records(_, let missing) = shelf.deliver(header, of: segment, upTo: end) else { return nil }
            record.missingBefore = missing
            return loaded.map { .block(SpoolBlock(header, in: $0, at: 0, skipping: 0, missing: missing)) }
                ?? .long(record)
        }
        return nil
    }

    /// A long record in memory; nil where it is damaged, or the disk has a bad place.
    private func load(_ record: SpoolLongRecord, of segment: Segment) throws(SpoolError) -> BlockBuffer? {
        do throws(Errno) {
            return try record.load()
        } catch {
            guard error == .ioError else { throw unreadable(segment, error) }
            return nil
        }
    }

    mutating func acknowledge(through sequence: UInt64) throws(SpoolError) {
        try checkOpen()
        guard try shelf.acknowledge(through: sequence) else { return }
        // A cursor that finds no room is written with the next one: records may be handed out again, none is lost.
        if let error = shelf.writeCursor(synchronized: false), !error.isNoRoom { throw cursorError(error) }
        try collect()
    }

    mutating func close() {
        isClosed = true
        walk = nil
        buffer = BlockBuffer(count: 0)
    }

    private func checkOpen() throws(SpoolError) {
        guard !isClosed else { throw SpoolError(.closed, "the spool \(options.directory) is closed") }
    }

    private func collect() throws(SpoolError) {
        if let error = shelf.collect(), !error.isNoRoom { throw cursorError(error) }
    }

    private func cursorError(_ cause: Errno) -> SpoolError {
        SpoolError(.systemError, "cannot write the cursor of the spool \(options.directory)", cause: cause)
    }

    /// Opens a segment; one whose file is gone is skipped like one that is damaged.
    private mutating func enter(_ segment: Segment) throws(SpoolError) {
        if let left = walk { buffer = left.buffer }
        walk = nil
        guard let mark = segment.mark, let descriptor = try shelf.directory.openFile(segment.name) else { return }
        let file = SegmentFile(name: segment.name, descriptor: descriptor, isNew: false)
        walk = SegmentWalk(segment, mark: mark, file: file, buffer: buffer)
        // The walk alone refers to it now, and so can fill it again.
        buffer = BlockBuffer(count: 0)
    }

    /// What stands at a place; all that follows is damaged where the file is gone, or the disk has a bad place.
    private mutating func look(at offset: Int, of segment: Segment) throws(SpoolError) -> SegmentWalk.Found {
        do throws(Errno) {
            return try walk?.block(at: offset, end: segment.size) ?? .damage(upTo: segment.size)
        } catch {
            guard error == .ioError else { throw unreadable(segment, error) }
            return .damage(upTo: segment.size)
        }
    }

    private func unreadable(_ segment: Segment, _ cause: Errno) -> SpoolError {
        SpoolError(.systemError, "cannot read \(options.directory.appending(segment.name))", cause: cause)
    }
}
