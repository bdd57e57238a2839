import Glibc
import SystemPackage

/// What stands in a spool's directory when it is opened, made fit to go on with.
struct DirectoryContents: ~Copyable {
    let directory: SpoolDirectory
    let cursor: CursorFile
    let segments: [Segment]
    /// The number of the next record, and how many there were before it.
    let nextSequence: UInt64
    let nextOrdinal: UInt64
    /// The last segment, when records may be added to it.
    let last: (file: SegmentFile, mark: UInt64)?
    private(set) var recovery = SpoolRecovery()

    /// How many sequence numbers are left out where numbers may have been given to records that were lost: more than
    /// the memory of a computer can hold.
    private static let leap: UInt64 = 1 << 36

    init(_ directory: SpoolDirectory) throws(SpoolError) {
        var found = try Self.findSegments(in: directory)
        var cursor = try Self.openCursor(in: directory, beside: found.segments, of: found.identity)
        var slot = cursor.slot
        let boot = bootNumber()
        let isSameBoot = boot != 0 && boot == slot.boot
        let end = try Self.finish(&found.segments, after: slot, in: directory)
        let lastName = found.segments.last?.firstSequence ?? 0
        var nextSequence = max(slot.nextSequence, slot.acknowledgedSequence + 1, end.nextSequence, lastName)
        let nextOrdinal = max(slot.acknowledgedOrdinal, slot.writtenOrdinal, end.nextOrdinal)
        // What is known of the end of the spool is all there was, unless the system failed or the end is damaged.
        let isNew = slot.generation == 0 && found.segments.isEmpty
        if !isNew, !isSameBoot || end.isDamaged { nextSequence += Self.leap }
        let goesOn = !end.isDamaged && nextSequence == end.nextSequence && nextOrdinal == end.nextOrdinal
        if !goesOn, !found.segments.isEmpty { found.segments[found.segments.count - 1].isSealed = true }

        recovery.isOpenToOthers = directory.isWritableByOthers
        recovery.lostCursor = slot.generation == 0 && !found.segments.isEmpty
        recovery.tornBytes = end.tornBytes
        recovery.segments = found.segments.count
        let readable = max(slot.acknowledgedOrdinal, end.readableOrdinal)
        recovery.lostRecords = nextOrdinal - readable
        let firstReadable = found.segments.first { $0.mark != nil }?.firstOrdinal ?? 0
        recovery.waitingRecords = readable - min(readable, max(slot.acknowledgedOrdinal, firstReadable))
        // Records that are there and that the cursor does not know of stand behind what its writer told since.
        if end.readableOrdinal > slot.writtenOrdinal { slot.untold = 0 }
        slot.boot = boot
        slot.nextSequence = nextSequence
        slot.writtenOrdinal = nextOrdinal
        if let error = cursor.write(slot) ?? cursor.synchronize() {
            throw SpoolError(.systemError, "cannot write the cursor in \(directory.path)", cause: error)
        }
        self.directory = directory
        self.cursor = cursor
        self.nextSequence = nextSequence
        self.nextOrdinal = nextOrdinal
        segments = found.segments
        last = goesOn ? end.last : nil
    }

    /// The cursor that is there, or else a new one, of generation 0, that stands before all records.
    private static func openCursor(
        in directory: SpoolDirectory, beside segments: [Segment], of identity: UInt64?
    ) throws(SpoolError) -> CursorFile {
        if let cursor = try CursorFile.open(in: directory) { return cursor }
        var slot = CursorSlot(identity: identity ?? .random(in: 1 ... .max))
        slot.acknowledgedOrdinal = segments.first { $0.mark != nil }?.firstOrdinal ?? 0
        return try CursorFile.create(slot, in: directory)
    }

    /// Reads the first bytes of every segment.
    private static func findSegments(
        in directory: SpoolDirectory
    ) throws(SpoolError) -> (segments: [Segment], identity: UInt64?) {
        var segments: [Segment] = []
        var identity: UInt64?
        for number in try directory.segments() {
            let name = SegmentFile.name(number)
            guard let descriptor = try directory.openFile(name) else { continue }
            defer { close(descriptor) }
            var bytes = [UInt8](repeating: 0, count: SegmentHeader.count + BlockHeader.count)
            let start = bytes.withUnsafeMutableBytes { target in
                let count = (try? readAll(descriptor, into: target, at: 0)) ?? 0
                return SegmentStart(UnsafeRawBufferPointer(rebasing: target[..<count]), firstSequence: number)
            }
            if case .unknownVersion(let version) = start {
                throw .unknownVersion(version, directory.path.appending(name))
            }
            var status = stat()
            let size = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
            if identity == nil { identity = start.identity }
            segments.append(
                Segment(
                    firstSequence: number, firstOrdinal: start.firstOrdinal ?? .max, mark: start.mark, size: size,
                    endOrdinal: 0, isSealed: true))
        }
        return (segments, identity)
    }

    /// How the spool ends.
    private struct End {
        var nextSequence: UInt64 = 1
        var nextOrdinal: UInt64 = 0
        /// The end of the last record that can be read.
        var readableOrdinal: UInt64 = 0
        var isDamaged = false
        var tornBytes = 0
        var last: (file: SegmentFile, mark: UInt64)?
    }

    /// Finds out where each segment ends, and cuts off what was not written whole.
    private static func finish(
        _ segments: inout [Segment], after slot: CursorSlot, in directory: SpoolDirectory
    ) throws(SpoolError) -> End {
        var end = End()
        // A file whose header did not get into it whole was never used.
        while let last = segments.last, last.mark == nil, last.size < SegmentHeader.count + BlockHeader.count {
            directory.remove(last.name)
            end.tornBytes += last.size
            segments.removeLast()
        }
        guard let readable = segments.lastIndex(where: { $0.mark != nil }) else {
            end.isDamaged = !segments.isEmpty
            end.nextOrdinal = slot.writtenOrdinal
            for index in segments.indices {
                segments[index].firstOrdinal = slot.acknowledgedOrdinal
                segments[index].endOrdinal = slot.writtenOrdinal
            }
            return end
        }
        let scan = try TailScan(segments[readable], knownOrdinal: slot.writtenOrdinal, in: directory)
        end.nextSequence = scan.nextSequence
        end.nextOrdinal = max(scan.nextOrdinal, slot.writtenOrdinal)
        end.readableOrdinal = scan.nextOrdinal
        end.isDamaged = scan.isDamaged || readable != segments.count - 1
        if readable == segments.count - 1 {
            end.tornBytes += segments[readable].size - scan.end
            segments[readable].size = scan.end
            segments[readable].isSealed = false
            end.last = scan.last
        }
        // From the end on: a segment's records end where those of the next one start, and the last one's where the cursor
        // says, which may know of more than can be read.
        var next = end.nextOrdinal
        for index in segments.indices.reversed() {
            segments[index].endOrdinal = next
            if segments[index].mark == nil { segments[index].firstOrdinal = next }
            next = min(next, segments[index].firstOrdinal)
            segments[index].firstOrdinal = next
        }
        // What stood in unreadable segments at the start was not acknowledged, unless the cursor says so.
        for index in segments.indices {
            guard segments[index].mark == nil else { break }
            segments[index].firstOrdinal = min(slot.acknowledgedOrdinal, segments[index].firstOrdinal)
        }
        return end
    }
}
