import Glibc
import SystemPackage

/// Reads the last segment from start to end: only there can a block have been written in part.
struct TailScan {
    /// The number of the record after the last one, and how many records there are before it.
    private(set) var nextSequence: UInt64
    private(set) var nextOrdinal: UInt64
    /// Where the last intact block ends.
    private(set) var end = SegmentHeader.count
    /// Whether there is damage before that, or something is missing behind it.
    private(set) var isDamaged = false
    /// The file, to go on in it.
    private(set) var last: (file: SegmentFile, mark: UInt64)?

    /// Reads a segment.
    ///
    /// - Parameters:
    ///   - segment: The last one that can be read.
    ///   - knownOrdinal: How many records the spool had written when its cursor was: what is missing of these is damaged,
    ///     and nothing of the file is cut off.
    ///   - directory: The spool's.
    /// - Throws: ``SpoolError`` with the code `unreadable` or `systemError`.
    init(_ segment: Segment, knownOrdinal: UInt64, in directory: SpoolDirectory) throws(SpoolError) {
        nextSequence = segment.firstSequence
        nextOrdinal = segment.firstOrdinal
        guard let mark = segment.mark, let descriptor = try directory.openFile(segment.name, writing: true) else {
            isDamaged = true
            return
        }
        let file = SegmentFile(name: segment.name, descriptor: descriptor, isNew: true)
        var walk = SegmentWalk(segment, mark: mark, file: file, buffer: BlockBuffer(count: SegmentWalk.windowCount))
        var offset = end
        var sawDamage = false
        do throws(Errno) {
            while offset < segment.size {
                switch try walk.block(at: offset, end: segment.size) {
                case .damage(let upTo):
                    offset = upTo
                    sawDamage = true
                case .block(let block, _), .long(let block, _):
                    offset += BlockHeader.count + block.payloadCount
                    end = offset
                    isDamaged = sawDamage
                    nextSequence = block.firstSequence + UInt64(block.recordCount)
                    nextOrdinal = block.endOrdinal
                }
            }
        } catch {
            guard error == .ioError else {
                throw SpoolError(.systemError, "cannot read \(directory.path.appending(segment.name))", cause: error)
            }
            // A bad place of the disk: what lies behind it is as good as damaged, and nothing is added to this file.
            isDamaged = true
            end = segment.size
            return
        }
        guard nextOrdinal >= knownOrdinal else {
            isDamaged = true
            end = segment.size
            return
        }
        if end < segment.size, ftruncate(descriptor, off_t(end)) != 0 {
            throw SpoolError(
                .systemError, "cannot cut what was not written whole off \(directory.path.appending(segment.name))",
                cause: lastError)
        }
        last = (file, mark)
    }
}
