import Checksums
import Glibc
import Synchronization
import SystemPackage

/// Hands out a record's bytes, piece after piece, whenever it is called; a piece is valid during the call only.
package typealias RecordPieces = (_ take: (UnsafeRawBufferPointer) -> Void) -> Void

/// The writer's side: the block that records are gathered in, and the segment that it goes to.
///
/// A record that is too long for the block is one by itself, and goes to the segment as its bytes come.
struct BlockWriter {
    private let options: SpoolOptions
    private let shelf: Shelf

    /// The block: room for its header, then the records.
    private var buffer: BlockBuffer
    private var count = BlockHeader.count
    private var recordCount = 0
    private var nextSequence: UInt64
    private var nextOrdinal: UInt64

    private var segment: SegmentWriter
    /// How long a full disk is let alone while records that it may refuse keep coming.
    private static let retryInterval = Duration.milliseconds(50)
    /// When to try again after the disk was full, with such records.
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
        buffer = BlockBuffer(count: min(256 << 10, options.segmentSize / 2))
        nextSequence = shelf.nextSequence.load(ordering: .relaxed)
        nextOrdinal = shelf.nextOrdinal.load(ordering: .relaxed)
        segment = SegmentWriter(options, shelf: shelf, last: last)
    }

    mutating func append(_ record: UnsafeRawBufferPointer, flag: UInt8) throws(SpoolError) -> Spool.Appending {
        let need = Record.headerCount + record.count
        if count + need > buffer.bytes.count || !isWithinLimit(need) {
            let result = try makeRoom(for: record.count)
            guard result == .appended else { return result }
            if isLong(record.count) { return try writeLong(record.count, flag: flag) { $0(record) } }
        }
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[count..<count + need])
        target.storeBytes(of: Record.header(count: record.count, flag: flag).littleEndian, as: UInt32.self)
        UnsafeMutableRawBufferPointer(rebasing: target[Record.headerCount...]).copyMemory(from: record)
        count += need
        takeNumber()
        return .appended
    }

    /// Takes a record of so many bytes, which come in pieces.
    mutating func append(
        count recordCount: Int, flag: UInt8, pieces: RecordPieces
    ) throws(SpoolError) -> Spool.Appending {
        let need = Record.headerCount + recordCount
        if count + need > buffer.bytes.count || !isWithinLimit(need) {
            let result = try makeRoom(for: recordCount)
            guard result == .appended else { return result }
            if isLong(recordCount) { return try writeLong(recordCount, flag: flag, pieces) }
        }
        var rest = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[count..<count + need])
        rest.storeBytes(of: Record.header(count: recordCount, flag: flag).littleEndian, as: UInt32.self)
        rest = UnsafeMutableRawBufferPointer(rebasing: rest[Record.headerCount...])
        pieces { piece in
            rest.copyMemory(from: piece)
            rest = UnsafeMutableRawBufferPointer(rebasing: rest[piece.count...])
        }
        precondition(rest.isEmpty, "the pieces are shorter than was said")
        count += need
        takeNumber()
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

    private mutating func takeNumber() {
        recordCount += 1
        nextSequence += 1
        nextOrdinal += 1
        tellCounts()
    }

    /// Takes the last record out of the current block, which nobody has seen yet.
    private mutating func withdraw(_ bytes: Int) {
        count -= Record.headerCount + bytes
        giveBackNumber()
    }

    private mutating func giveBackNumber() {
        recordCount -= 1
        nextSequence -= 1
        nextOrdinal -= 1
        tellCounts()
        if recordCount == 0 { shelf.noBlockWaits() }
    }

    /// Writes the current block; with `waits` it waits for room on a full disk, when the policy is to.
    mutating func write(waits: Bool) throws(SpoolError) -> Writing {
        try checkOpen()
        guard recordCount > 0 else { return .written }
        return try insist(waits: waits) { writer throws(SpoolError) in try writer.writeBlock() }
    }

    /// Tries to write until there is room on the disk, or the policy ends that.
    private mutating func insist(
        waits: Bool, _ attempt: (inout BlockWriter) throws(SpoolError) -> Bool
    ) throws(SpoolError) -> Writing {
        while try !attempt(&self) {
            switch options.whenFull {
            case .dropNewest: return .full
            case .dropOldest: guard shelf.dropOldest() else { return .full }
            case .block:
                guard waits else { return .full }
                guard !shelf.isInterrupted.load(ordering: .sequentiallyConsistent) else {
                    shelf.askForRoom()
                    return .interrupted
                }
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
            segment.close()
            buffer = BlockBuffer(count: 0)
        }
        let result = try write(waits: false)
        if options.sync != .never, let error = segment.synchronize() { throw unsafe(error) }
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

    /// Whether a record is longer than an empty block.
    private func isLong(_ recordCount: Int) -> Bool {
        BlockHeader.count + Record.headerCount + recordCount > buffer.bytes.count
    }

    /// Makes room for a record: in the block, which is empty where the record is longer, and within the limit.
    private mutating func makeRoom(for recordCount: Int) throws(SpoolError) -> Spool.Appending {
        try checkOpen()
        guard recordCount <= options.maximumRecord else {
            let longest = SpoolOptions.longestRecord
            let advice = recordCount <= longest ? "give it a higher limit" : "no spool takes more than \(longest)"
            throw SpoolError(
                .invalidArgument,
                "a record of \(recordCount) bytes is longer than the \(options.maximumRecord) that the spool "
                    + "\(options.directory) takes: \(advice)")
        }
        let need = Record.headerCount + recordCount
        if count + need > buffer.bytes.count {
            let result = try makeRoomInBlock()
            guard result == .appended else { return result }
        }
        while !isWithinLimit(need) {
            switch options.whenFull {
            case .dropNewest:
                shelf.askForRoom()
                // What was removed before that rang nothing.
                guard isWithinLimit(need) else { return refused() }
            case .dropOldest:
                if !shelf.dropOldest() { try segment.seal() }
            case .block:
                guard try write(waits: true) == .written else { return .interrupted }
                guard !isWithinLimit(need) else { break }
                guard shelf.isInterrupted.load(ordering: .sequentiallyConsistent) else {
                    shelf.waitForRoom { isWithinLimit(need) }
                    break
                }
                shelf.askForRoom()
                // What was removed before that rang nothing.
                guard isWithinLimit(need) else { return .interrupted }
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
                nextAttempt = .now + Self.retryInterval
                return refused()
            }
            // Nothing older is left.
            shelf.discard(recordCount, endOrdinal: nextOrdinal)
            startBlock()
            return .appended
        }
    }

    private func refused() -> Spool.Appending {
        shelf.askForRoom()
        shelf.refuse()
        return .dropped
    }

    private mutating func startBlock() {
        count = BlockHeader.count
        recordCount = 0
        tellCounts()
    }

    private func tellCounts() {
        shelf.pendingBytes.store(recordCount == 0 ? 0 : count, ordering: .relaxed)
        shelf.nextSequence.store(nextSequence, ordering: .relaxed)
        shelf.nextOrdinal.store(nextOrdinal, ordering: .relaxed)
    }

    // MARK: Blocks.

    /// Writes the block; false when the disk is full.
    private mutating func writeBlock() throws(SpoolError) -> Bool {
        let block = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count])
        let payload = UnsafeRawBufferPointer(rebasing: block[BlockHeader.count...])
        let checksum = CRC32C.checksum(payload)
        return try place(header(payloadCount: payload.count, checksum: checksum)) { header, file, offset in
            header.write(to: block)
            return writeAll(file, UnsafeRawBufferPointer(block), at: offset)
        }
    }

    /// Writes a record that is longer than the block, which is empty, or does not take it.
    private mutating func writeLong(
        _ bytes: Int, flag: UInt8, _ pieces: RecordPieces
    ) throws(SpoolError) -> Spool.Appending {
        takeNumber()
        let record = Record.header(count: bytes, flag: flag)
        let header = header(payloadCount: Record.headerCount + bytes)
        do throws(SpoolError) {
            let result = try insist(waits: true) { writer throws(SpoolError) in
                try writer.place(header) { header, file, offset in
                    Self.write(header, record, pieces, to: file, at: offset)
                }
            }
            switch result {
            case .written: return .appended
            case .interrupted:
                giveBackNumber()
                return .interrupted
            case .full:
                giveBackNumber()
                nextAttempt = .now + Self.retryInterval
                return refused()
            }
        } catch {
            if recordCount > 0 { giveBackNumber() }
            throw error
        }
    }

    /// Writes a block of one record, the header last: until then, nobody takes what is there for a block.
    private static func write(
        _ header: BlockHeader, _ record: UInt32, _ pieces: RecordPieces, to file: Int32, at offset: Int
    ) -> Errno? {
        var header = header
        var end = offset + BlockHeader.count
        var failure: Errno?
        let take: (UnsafeRawBufferPointer) -> Void = { piece in
            if failure == nil { failure = writeAll(file, piece, at: end) }
            header.payloadChecksum = CRC32C.checksum(piece, continuing: header.payloadChecksum)
            end += piece.count
        }
        withUnsafeBytes(of: record.littleEndian, take)
        pieces(take)
        precondition(end - offset == BlockHeader.count + header.payloadCount, "the pieces are not as long as was said")
        if let failure { return failure }
        return withUnsafeTemporaryAllocation(byteCount: BlockHeader.count, alignment: 8) { target in
            header.write(to: target)
            return writeAll(file, UnsafeRawBufferPointer(target), at: offset)
        }
    }

    /// Has the current block written to the segment; false when the disk is full.
    private mutating func place(
        _ header: BlockHeader, _ write: (BlockHeader, _ file: Int32, _ offset: Int) -> Errno?
    ) throws(SpoolError) -> Bool {
        guard try segment.add(header, write) else { return false }
        nextAttempt = nil
        startBlock()
        return true
    }

    /// The header of the current block, as yet without the segment's mark.
    private func header(payloadCount: Int, checksum: UInt32 = 0) -> BlockHeader {
        BlockHeader(
            mark: 0, payloadCount: payloadCount, recordCount: recordCount,
            firstSequence: nextSequence - UInt64(recordCount), firstOrdinal: nextOrdinal - UInt64(recordCount),
            payloadChecksum: checksum)
    }
}
