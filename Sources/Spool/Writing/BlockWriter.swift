import Checksums
import Glibc
import Synchronization
import SystemPackage

/// The writer's side: the block that records are gathered in, and the segment that it goes to.
struct BlockWriter {
    private let options: SpoolOptions
    private let shelf: Shelf
    private let standardCount: Int

    /// The block: room for its header, then the records.
    private var buffer: BlockBuffer
    private var count = BlockHeader.count
    private var recordCount = 0
    private var nextSequence: UInt64
    private var nextOrdinal: UInt64

    private var current: (file: SegmentFile, mark: UInt64, size: Int)?
    /// When to try again after the disk was full, while records that it may refuse keep coming.
    private var nextAttempt: ContinuousClock.Instant?
    private var isClosed = false

    /// What became of the current block.
    enum Writing {
        case written
        case full
        case interrupted
    }

    init(_ options: SpoolOptions, shelf: Shelf, last: (file: SegmentFile, mark: UInt64)?) {
        self.options = options
        self.shelf = shelf
        standardCount = min(256 << 10, options.segmentSize / 2)
        buffer = BlockBuffer(count: standardCount)
        nextSequence = shelf.nextSequence.load(ordering: .relaxed)
        nextOrdinal = shelf.nextOrdinal.load(ordering: .relaxed)
        if let last, let size = shelf.state.withLock({ $0.segments.last?.size }) {
            current = (last.file, last.mark, size)
            // It may be of a time when the limit was higher: only when it is sealed its room can come back.
            if size >= options.segmentSize {
                current = nil
                _ = shelf.seal()
            }
        }
    }

    mutating func append(_ record: UnsafeRawBufferPointer, flag: UInt8) throws(SpoolError) -> Spool.Appending {
        let need = Record.headerCount + record.count
        if count + need > buffer.bytes.count || !isWithinLimit(need) {
            let result = try makeRoom(for: record.count)
            guard result == .appended else { return result }
        }
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[count..<count + need])
        target.storeBytes(of: Record.header(count: record.count, flag: flag).littleEndian, as: UInt32.self)
        UnsafeMutableRawBufferPointer(rebasing: target[Record.headerCount...]).copyMemory(from: record)
        count += need
        recordCount += 1
        nextSequence += 1
        nextOrdinal += 1
        tellCounts()
        return .appended
    }

    /// Takes a record and writes it, or does not take it.
    mutating func store(_ record: UnsafeRawBufferPointer, flag: UInt8) throws(SpoolError) -> Spool.Appending {
        let appended = try append(record, flag: flag)
        guard appended == .appended else { return appended }
        do throws(SpoolError) {
            switch try write(waits: true) {
            case .written:
                try checkSynchronization()
                return .appended
            case .full:
                withdraw(record.count)
                return refused()
            case .interrupted:
                withdraw(record.count)
                return .interrupted
            }
        } catch {
            // What was written is there, though it may not survive a loss of power.
            if recordCount > 0 { withdraw(record.count) }
            throw error
        }
    }

    /// Takes the last record out of the current block, which nobody has seen yet.
    private mutating func withdraw(_ bytes: Int) {
        count -= Record.headerCount + bytes
        recordCount -= 1
        nextSequence -= 1
        nextOrdinal -= 1
        tellCounts()
        if recordCount == 0 { shelf.noBlockWaits() }
    }

    /// Writes the current block; with `waits` it waits for room on a full disk, when the policy is to.
    mutating func write(waits: Bool) throws(SpoolError) -> Writing {
        try checkOpen()
        while recordCount > 0 {
            if try writeBlock() { break }
            switch options.whenFull {
            case .dropNewest: return .full
            case .dropOldest: guard shelf.dropOldest() else { return .full }
            case .block:
                guard waits else { return .full }
                guard !shelf.isInterrupted.load(ordering: .sequentiallyConsistent) else { return .interrupted }
                // No descriptor says that a disk has room again.
                shelf.waitForRoom(for: .milliseconds(500)) { false }
            }
        }
        return .written
    }

    /// Throws what went wrong in the background since the last call.
    func checkSynchronization() throws(SpoolError) {
        if let error = shelf.takeFailure() { throw unsafe(error) }
    }

    private func unsafe(_ cause: Errno) -> SpoolError {
        SpoolError(.systemError, "cannot make the spool \(options.directory) safe on the disk", cause: cause)
    }

    /// Writes and synchronizes what is left, and takes nothing any more.
    mutating func close() throws(SpoolError) {
        guard !isClosed else { return }
        defer {
            isClosed = true
            current = nil
            buffer = BlockBuffer(count: 0)
        }
        let result = try write(waits: false)
        if options.sync != .never, let current, let error = current.file.synchronize(in: shelf.directory) {
            throw unsafe(error)
        }
        try checkSynchronization()
        guard result == .written else {
            throw SpoolError(
                .full, "the disk of the spool \(options.directory) is full: \(recordCount) records in memory are lost")
        }
    }

    private func checkOpen() throws(SpoolError) {
        guard !isClosed else { throw SpoolError(.closed, "the spool \(options.directory) is closed") }
    }

    // MARK: Room.

    /// Whether so many bytes more, a new segment and a new block stay within the limit.
    private func isWithinLimit(_ need: Int) -> Bool {
        shelf.usedBytes.load(ordering: .sequentiallyConsistent) + count + need + SegmentHeader.count + BlockHeader.count
            <= options.limit
    }

    private mutating func makeRoom(for recordCount: Int) throws(SpoolError) -> Spool.Appending {
        try checkOpen()
        guard recordCount <= options.maximumRecord else {
            throw SpoolError(
                .invalidArgument,
                "a record of \(recordCount) bytes is longer than the \(options.maximumRecord) that the spool "
                    + "\(options.directory) takes: give it a higher limit")
        }
        let need = Record.headerCount + recordCount
        if count + need > buffer.bytes.count {
            let result = try makeRoomInBlock()
            guard result == .appended else { return result }
            if count + need > buffer.bytes.count { buffer = BlockBuffer(count: count + need) }
        }
        while !isWithinLimit(need) {
            switch options.whenFull {
            case .dropNewest: return refused()
            case .dropOldest:
                if !shelf.dropOldest() { try seal() }
            case .block:
                guard try write(waits: true) == .written else { return .interrupted }
                guard !isWithinLimit(need) else { break }
                guard !shelf.isInterrupted.load(ordering: .sequentiallyConsistent) else { return .interrupted }
                shelf.waitForRoom { isWithinLimit(need) }
            }
        }
        return .appended
    }

    /// Empties the block.
    private mutating func makeRoomInBlock() throws(SpoolError) -> Spool.Appending {
        if options.whenFull == .dropNewest, let nextAttempt, .now < nextAttempt { return refused() }
        switch try write(waits: true) {
        case .written: return .appended
        case .interrupted: return .interrupted
        case .full:
            guard options.whenFull == .dropOldest else {
                nextAttempt = .now + .milliseconds(50)
                return refused()
            }
            // Nothing older is left.
            shelf.discard(recordCount, endOrdinal: nextOrdinal)
            startBlock()
            return .appended
        }
    }

    private func refused() -> Spool.Appending {
        shelf.refuse()
        return .dropped
    }

    private mutating func startBlock() {
        if buffer.bytes.count > standardCount { buffer = BlockBuffer(count: standardCount) }
        count = BlockHeader.count
        recordCount = 0
        tellCounts()
    }

    private func tellCounts() {
        shelf.pendingBytes.store(recordCount == 0 ? 0 : count, ordering: .relaxed)
        shelf.nextSequence.store(nextSequence, ordering: .relaxed)
        shelf.nextOrdinal.store(nextOrdinal, ordering: .relaxed)
    }

    // MARK: Files.

    /// Writes the block behind those of the current segment, or of a new one.
    ///
    /// - Returns: false when the disk is full.
    private mutating func writeBlock() throws(SpoolError) -> Bool {
        if let current, current.size + count > options.segmentSize { try seal() }
        do throws(Errno) {
            let isNew = current == nil
            let (file, mark, size) = try currentOrNewSegment()
            let block = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count])
            blockHeader(mark: mark).write(to: block)
            if let error = write(UnsafeRawBufferPointer(block), to: file, at: size) {
                _ = ftruncate(file.descriptor, off_t(size))
                if isNew { shelf.directory.remove(file.name) }
                throw error
            }
            if isNew { shelf.add(segment(mark: mark)) }
            current = (file, mark, size + count)
            if case .interval = options.sync {
                shelf.publish(count, endOrdinal: nextOrdinal, unsynchronized: file)
            } else {
                shelf.publish(count, endOrdinal: nextOrdinal, unsynchronized: nil)
            }
        } catch {
            guard error.isNoRoom else {
                throw SpoolError(.systemError, "cannot write to the spool \(options.directory)", cause: error)
            }
            // Without a segment that blocks are added to, all of them can be removed when they are done with.
            try seal()
            shelf.diskIsFull()
            return false
        }
        nextAttempt = nil
        startBlock()
        return true
    }

    private func write(_ block: UnsafeRawBufferPointer, to file: SegmentFile, at size: Int) -> Errno? {
        if let error = writeAll(file.descriptor, block, at: size) { return error }
        return options.sync == .always ? file.synchronize(in: shelf.directory) : nil
    }

    private func blockHeader(mark: UInt64) -> BlockHeader {
        let payload = UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(buffer.bytes)[BlockHeader.count..<count])
        return BlockHeader(
            mark: mark, payloadCount: payload.count, recordCount: recordCount,
            firstSequence: nextSequence - UInt64(recordCount), firstOrdinal: nextOrdinal - UInt64(recordCount),
            payloadChecksum: CRC32C.checksum(payload))
    }

    /// The segment that starts with the current block, as it is before that is in it.
    private func segment(mark: UInt64) -> Segment {
        let firstOrdinal = nextOrdinal - UInt64(recordCount)
        return Segment(
            firstSequence: nextSequence - UInt64(recordCount), firstOrdinal: firstOrdinal, mark: mark,
            size: SegmentHeader.count, endOrdinal: firstOrdinal, isSealed: false)
    }

    private func currentOrNewSegment() throws(Errno) -> (file: SegmentFile, mark: UInt64, size: Int) {
        if let current { return current }
        let segment = segment(mark: .random(in: .min ... .max))
        let header = SegmentHeader(
            mark: segment.mark ?? 0, firstSequence: segment.firstSequence, firstOrdinal: segment.firstOrdinal,
            identity: shelf.identity)
        let file = SegmentFile(
            name: segment.name, descriptor: try shelf.directory.create(segment.name), isNew: true)
        if let error = header.bytes.withUnsafeBytes({ writeAll(file.descriptor, $0, at: 0) }) {
            shelf.directory.remove(segment.name)
            throw error
        }
        return (file, header.mark, SegmentHeader.count)
    }

    private mutating func seal() throws(SpoolError) {
        guard current != nil else { return }
        current = nil
        if let error = shelf.seal() {
            throw SpoolError(.systemError, "cannot write the cursor of the spool \(options.directory)", cause: error)
        }
    }
}
