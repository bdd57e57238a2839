import Checksums
import Glibc
import SystemPackage

/// Finds the blocks of one segment, whatever state it is in, through a window of memory.
struct SegmentWalk {
    /// What stands at a place of a segment.
    enum Found {
        /// An intact block; its records start at `offset` of the window's memory.
        case block(BlockHeader, offset: Int)
        /// An intact block of one record that is longer than the window.
        case long(BlockHeader, flag: UInt8)
        /// Nothing that can be read up to there: the end, or where a block may start again.
        case damage(upTo: Int)
    }

    let segment: Segment
    let file: SegmentFile
    private let mark: UInt64
    /// The memory that the window fills; who keeps a reference to it keeps what it holds.
    private(set) var buffer: BlockBuffer
    /// What ``buffer`` was before; who keeps one block at a time has let go of it when it is needed.
    private var spare = BlockBuffer(count: 0)
    private var window = 0..<0

    /// The window's size, but for a larger block of several records, which ``BlockWriter`` does not write.
    static let windowCount = 256 << 10

    init(_ segment: Segment, mark: UInt64, file: SegmentFile, buffer: BlockBuffer) {
        self.segment = segment
        self.mark = mark
        self.file = file
        self.buffer = buffer
    }

    /// Looks at the block that starts at `offset`; the segment ends at `end`.
    mutating func block(at offset: Int, end: Int) throws(Errno) -> Found {
        guard let start = try load(offset, BlockHeader.count, end: end), let header = header(at: start),
            offset + BlockHeader.count + header.payloadCount <= end
        else { return .damage(upTo: try nextHeader(behind: offset, end: end)) }
        let count = BlockHeader.count + header.payloadCount
        if count > Self.windowCount, header.recordCount == 1 { return try longBlock(header, at: offset, end: end) }
        guard let start = try load(offset, count, end: end) else { return .damage(upTo: end) }
        let payload = UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(buffer.bytes)[start + BlockHeader.count..<start + count])
        guard CRC32C.checksum(payload) == header.payloadChecksum, Self.isFilled(payload, by: header.recordCount) else {
            return .damage(upTo: offset + count)
        }
        return .block(header, offset: start + BlockHeader.count)
    }

    /// Looks at a block of one record through the window, one stretch after the other.
    private mutating func longBlock(_ header: BlockHeader, at offset: Int, end: Int) throws(Errno) -> Found {
        var place = offset + BlockHeader.count
        let blockEnd = place + header.payloadCount
        guard let start = try load(place, Record.headerCount, end: end) else { return .damage(upTo: end) }
        let record = UInt32(littleEndian: buffer.bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
        var checksum: UInt32 = 0
        while place < blockEnd {
            let loaded = window.contains(place) ? window.upperBound - place : Self.windowCount
            let count = min(loaded, blockEnd - place)
            guard let start = try load(place, count, end: end) else { return .damage(upTo: end) }
            let stretch = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer.bytes)[start..<start + count])
            checksum = CRC32C.checksum(stretch, continuing: checksum)
            place += count
        }
        guard checksum == header.payloadChecksum, Record.headerCount + Record.count(in: record) == header.payloadCount
        else { return .damage(upTo: blockEnd) }
        return .long(header, flag: Record.flag(in: record))
    }

    /// A header that is intact and of this segment.
    private func header(at start: Int) -> BlockHeader? {
        let bytes = UnsafeRawBufferPointer(buffer.bytes)
        guard let header = BlockHeader(UnsafeRawBufferPointer(rebasing: bytes[start..<start + BlockHeader.count])),
            header.mark == mark, header.firstSequence >= segment.firstSequence,
            header.firstOrdinal >= segment.firstOrdinal,
            header.firstSequence - segment.firstSequence == header.firstOrdinal - segment.firstOrdinal
        else { return nil }
        return header
    }

    /// Whether the records' lengths add up: what walks them later does not look again.
    private static func isFilled(_ payload: UnsafeRawBufferPointer, by recordCount: Int) -> Bool {
        var offset = 0
        for _ in 0..<recordCount {
            guard offset + Record.headerCount <= payload.count else { return false }
            let header = UInt32(littleEndian: payload.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            offset += Record.headerCount + Record.count(in: header)
        }
        return offset == payload.count
    }

    /// Where the next intact header is; `end` when there is none.
    private mutating func nextHeader(behind offset: Int, end: Int) throws(Errno) -> Int {
        var place = offset + 1
        while place + BlockHeader.count <= end {
            let count = min(end - place, Self.windowCount)
            guard let start = try load(place, count, end: end) else { return end }
            let stretch = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer.bytes)[start..<start + count])
            guard let hit = firstMark(in: stretch) else {
                // The mark may lie across the window's end.
                place += count - 7
                continue
            }
            place += hit
            guard let start = try load(place, BlockHeader.count, end: end) else { return end }
            if header(at: start) != nil { return place }
            place += 1
        }
        return end
    }

    private func firstMark(in bytes: UnsafeRawBufferPointer) -> Int? {
        let firstByte = Int32(UInt8(truncatingIfNeeded: mark))
        var offset = 0
        while offset + 8 <= bytes.count, let start = bytes.baseAddress {
            guard let hit = memchr(start + offset, firstByte, bytes.count - 7 - offset) else { return nil }
            offset = UnsafeRawPointer(hit) - start
            let found = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if UInt64(littleEndian: found) == mark { return offset }
            offset += 1
        }
        return nil
    }

    private static func isFree(_ buffer: inout BlockBuffer, count: Int) -> Bool {
        buffer.bytes.count == count && isKnownUniquelyReferenced(&buffer)
    }

    /// Brings a stretch of the segment into the window; nil when the file has no such bytes.
    ///
    /// - Returns: Where it is in ``buffer``.
    private mutating func load(_ offset: Int, _ count: Int, end: Int) throws(Errno) -> Int? {
        guard offset + count <= end else { return nil }
        if window.lowerBound <= offset, offset + count <= window.upperBound { return offset - window.lowerBound }
        let wanted = max(count, Self.windowCount)
        if !Self.isFree(&buffer, count: wanted) {
            swap(&buffer, &spare)
            if !Self.isFree(&buffer, count: wanted) { buffer = BlockBuffer(count: wanted) }
            if spare.bytes.count > Self.windowCount { spare = BlockBuffer(count: 0) }
        }
        window = 0..<0
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<min(wanted, end - offset)])
        let found = try readAll(file.descriptor, into: target, at: offset)
        window = offset..<offset + found
        return found >= count ? 0 : nil
    }
}
