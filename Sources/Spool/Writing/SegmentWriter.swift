import Glibc
import Synchronization
import SystemPackage

/// The segment that blocks are added to, and the next one when it has its size.
struct SegmentWriter {
    private let options: SpoolOptions
    private let shelf: Shelf
    private var current: Place?

    /// Where the next block goes.
    private struct Place {
        let file: SegmentFile
        let mark: UInt64
        var offset: Int
    }

    init(_ options: SpoolOptions, shelf: Shelf, last: (file: SegmentFile, mark: UInt64)?) {
        self.options = options
        self.shelf = shelf
        guard let last, let size = shelf.state.withLock({ $0.segments.last?.size }) else { return }
        if size < options.segmentSize {
            current = Place(file: last.file, mark: last.mark, offset: size)
        } else {
            // It may be of a time when the limit was higher: only when it is sealed its room can come back.
            _ = shelf.seal()
        }
    }

    /// Has a block written behind the others.
    ///
    /// - Parameters:
    ///   - header: Its header, as yet without the segment's mark.
    ///   - write: Writes the header, which has the mark now, and the payload at a place of a file.
    /// - Returns: false when the disk is full.
    /// - Throws: ``SpoolError`` with the code `systemError` for whatever else the operating system refuses.
    mutating func add(
        _ header: BlockHeader, _ write: (BlockHeader, _ file: Int32, _ offset: Int) -> Errno?
    ) throws(SpoolError) -> Bool {
        let size = BlockHeader.count + header.payloadCount
        if let current, current.offset + size > options.segmentSize { try seal() }
        do throws(Errno) {
            let isNew = current == nil
            let place: Place
            if let current { place = current } else { place = try start(with: header) }
            var header = header
            header.mark = place.mark
            if let error = write(header, place.file.descriptor, place.offset) ?? synchronizeAtOnce(place.file) {
                _ = ftruncate(place.file.descriptor, off_t(place.offset))
                if isNew { shelf.directory.remove(place.file.name) }
                throw error
            }
            if isNew { shelf.add(segment(of: header)) }
            current = Place(file: place.file, mark: place.mark, offset: place.offset + size)
            var unsynchronized: SegmentFile?
            if case .interval = options.sync { unsynchronized = place.file }
            shelf.publish(size, endOrdinal: header.endOrdinal, unsynchronized: unsynchronized)
            return true
        } catch {
            guard error.isNoRoom else {
                throw SpoolError(.systemError, "cannot write to the spool \(options.directory)", cause: error)
            }
            // Without a segment that blocks are added to, all of them can be removed when they are done with.
            try seal()
            shelf.diskIsFull()
            return false
        }
    }

    /// Adds nothing more to the segment.
    mutating func seal() throws(SpoolError) {
        guard current != nil else { return }
        current = nil
        if let error = shelf.seal() {
            throw SpoolError(.systemError, "cannot write the cursor of the spool \(options.directory)", cause: error)
        }
    }

    /// Makes what was written safe from a loss of power; nil when that worked.
    func synchronize() -> Errno? { current?.file.synchronize(in: shelf.directory) }

    /// Lets go of the segment's file.
    mutating func close() { current = nil }

    private func synchronizeAtOnce(_ file: SegmentFile) -> Errno? {
        options.sync == .always ? file.synchronize(in: shelf.directory) : nil
    }

    /// The segment whose first block has this header, as it is before that is in it.
    private func segment(of header: BlockHeader) -> Segment {
        Segment(
            firstSequence: header.firstSequence, firstOrdinal: header.firstOrdinal, mark: header.mark,
            size: SegmentHeader.count, endOrdinal: header.firstOrdinal, isSealed: false)
    }

    /// Makes the file of a segment that starts with a block.
    private func start(with block: BlockHeader) throws(Errno) -> Place {
        let header = SegmentHeader(
            mark: .random(in: .min ... .max), firstSequence: block.firstSequence, firstOrdinal: block.firstOrdinal,
            identity: shelf.identity)
        let name = SegmentFile.name(block.firstSequence)
        let file = SegmentFile(name: name, descriptor: try shelf.directory.create(name), isNew: true)
        if let error = header.bytes.withUnsafeBytes({ writeAll(file.descriptor, $0, at: 0) }) {
            shelf.directory.remove(name)
            throw error
        }
        return Place(file: file, mark: header.mark, offset: SegmentHeader.count)
    }
}
