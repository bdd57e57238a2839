import Synchronization

/// A queue of records on disk, with one writer and one reader, that outlives the process.
///
/// Records are gathered into blocks, blocks are appended to files (segments) of a directory that one process has at a time,
/// and a segment is removed when the reader has acknowledged all of it. The calls of the writer's side block, and so
/// belong on a thread of their own; so do those of the reader's side. The two may run at the same time.
///
/// ```swift
/// let spool = try Spool(SpoolOptions(directory: "/var/spool/hayrack"))
/// // The writer:
/// _ = try spool.append(line)
/// try spool.commit()
/// // The reader, whenever poll(2) says that `readable` is:
/// while let block = try spool.next() {
///     for record in block { hand(record.bytes) }
///     try spool.acknowledge(through: block.lastSequence)
/// }
/// ```
///
/// What is on the disk, and what survives which fault, is in `docs/spool.md`.
public final class Spool: Sendable {
    /// What became of a record.
    public enum Appending: Sendable, Hashable {
        /// It is in the current block.
        case appended
        /// There is no room, and ``WhenFull/dropNewest`` says that it is not taken; it is counted.
        case dropped
        /// There is no room, and ``Spool/interrupt()`` ended the wait for it; it was not taken.
        case interrupted
    }

    /// A number drawn when the directory was first used, so that two spools can be told apart.
    public var identity: UInt64 { shelf.identity }
    /// What was found in the directory when it was opened.
    public let recovery: SpoolRecovery
    /// How the spool was opened.
    public let options: SpoolOptions

    private let shelf: Shelf
    private let writer: SharedWriter
    private let reader: Mutex<BlockReader>

    /// Opens a directory, or makes it, and looks at what an earlier process left there.
    ///
    /// A block that was being written when that process ended is cut off; whatever was committed is there.
    ///
    /// - Parameter options: Where the spool is, how much it may hold, and what it promises.
    /// - Throws: ``SpoolError``: `invalidArgument`; `inUse` when another process has it; `unreadable` when the directory
    ///   or a file in it cannot be used, or is of a later format; `full` when a new directory's files do not fit on the
    ///   disk; `systemError`.
    public init(_ options: SpoolOptions) throws(SpoolError) {
        try options.check()
        self.options = options
        let contents = try DirectoryContents(SpoolDirectory(options.directory))
        recovery = contents.recovery
        let last = contents.last
        shelf = try Shelf(contents, synchronizesCursor: options.sync != .never)
        writer = SharedWriter(BlockWriter(options, shelf: shelf, last: last))
        reader = Mutex(BlockReader(options, shelf: shelf))
        Caretaker.start(shelf: shelf, writer: writer, sync: options.sync)
    }

    deinit {
        try? close()
    }

    // MARK: The writer's side.

    /// Puts a record into the current block, which is written when it is full.
    ///
    /// - Parameters:
    ///   - record: The bytes, at most ``SpoolOptions/maximumRecord``; they are copied. None is a record too.
    ///   - flag: A number that comes back with the record.
    /// - Returns: What became of it.
    /// - Throws: ``SpoolError``: `invalidArgument` for a record that is too long, `closed`, `systemError`.
    public func append(_ record: UnsafeRawBufferPointer, flag: UInt8 = 0) throws(SpoolError) -> Appending {
        try writer.state.withLock { writer throws(SpoolError) in try writer.append(record, flag: flag) }
    }

    /// Takes a record whose bytes come in pieces, so that a long one is in memory nowhere as a whole.
    ///
    /// One of more than about 256 KiB is written before this returns.
    ///
    /// - Parameters:
    ///   - count: How many bytes there are, at most ``SpoolOptions/maximumRecord``.
    ///   - flag: A number that comes back with the record.
    ///   - pieces: Hands them out; on a full disk it may be called again.
    /// - Returns: What became of it.
    /// - Throws: ``SpoolError``: `invalidArgument` for a record that is too long, `closed`, `systemError`.
    package func append(
        count: Int, flag: UInt8 = 0, pieces: RecordPieces
    ) throws(SpoolError) -> Appending {
        try writer.state.withLock { writer throws(SpoolError) in
            try writer.append(count: count, flag: flag, pieces: pieces)
        }
    }

    /// Writes the current block: call it when the input pauses.
    ///
    /// The reader then gets it, and it survives `kill -9`.
    /// With ``SyncPolicy/always`` it survives a loss of power too. While the disk is full the block stays in memory, and
    /// is written when there is room; what is appended meanwhile is treated as ``WhenFull`` says.
    ///
    /// - Throws: ``SpoolError``: `closed`, `systemError`.
    public func write() throws(SpoolError) {
        try writer.state.withLock { writer throws(SpoolError) in
            _ = try writer.write(waits: false)
            try writer.checkSynchronization()
        }
    }

    /// Writes the current block and returns when all that was appended is as safe as the policy promises.
    ///
    /// With ``SyncPolicy/always`` that is on the disk, with the others in the file. On a full disk it waits for room with
    /// ``WhenFull/block``.
    ///
    /// - Throws: ``SpoolError``: `full` when the disk is, and it may not or no longer wait: the records stay in memory and
    ///   are written when there is room; `closed`; `systemError`.
    public func commit() throws(SpoolError) {
        let result = try writer.state.withLock { writer throws(SpoolError) in
            let result = try writer.write(waits: true)
            try writer.checkSynchronization()
            return result
        }
        guard result == .written else {
            throw SpoolError(
                .full, "the disk of the spool \(options.directory) is full: records wait in memory until it has room")
        }
    }

    /// Puts a record behind the others and returns when it is as safe as the policy promises, or does not take it.
    ///
    /// Where ``append(_:flag:)`` and ``commit()`` keep a record in memory for which the disk has no room, this one takes it
    /// out again, so that its caller may tell others that it is not there.
    ///
    /// - Parameters:
    ///   - record: The bytes, at most ``SpoolOptions/maximumRecord``.
    ///   - flag: A number that comes back with the record.
    /// - Returns: What became of it; `dropped` also for a full disk.
    /// - Throws: ``SpoolError``: `invalidArgument` for a record that is too long, `closed`, `systemError`.
    public func store(_ record: UnsafeRawBufferPointer, flag: UInt8 = 0) throws(SpoolError) -> Appending {
        try writer.state.withLock { writer throws(SpoolError) in try writer.store(record, flag: flag) }
    }

    /// How many records the writer could not put in and has told nobody of: a number of its own, which the spool keeps over
    /// restarts, however full it is.
    ///
    /// It is safe from an orderly end on, and with each acknowledgement before.
    package var untold: UInt64 {
        get { UInt64(shelf.untold.load(ordering: .relaxed)) }
        set(count) { shelf.untold.store(UInt32(clamping: count), ordering: .relaxed) }
    }

    /// Ends the wait for room, from any thread and for good: from now on nothing waits.
    public func interrupt() { shelf.interrupt() }

    /// A descriptor that poll(2) finds readable when there may be room again, after a record was not taken for want of it.
    ///
    /// It tells of the limit; that a full disk has room again, no descriptor tells. Only poll it; the next record that is
    /// not taken resets it. It is valid until ``close()``.
    package var room: Int32 { shelf.room.descriptor }

    // MARK: The reader's side.

    /// The next records in order; nil when there are none now.
    ///
    /// The first block after opening starts behind the last record acknowledged. Damaged blocks are skipped and counted.
    ///
    /// - Throws: ``SpoolError``: `closed`, `systemError` when a segment cannot be read.
    public func next() throws(SpoolError) -> SpoolBlock? {
        let delivery = try reader.withLock { reader throws(SpoolError) in try reader.next(loading: true) }
        guard case .block(let block) = delivery else { return nil }
        return block
    }

    /// The next records in order, as ``next()`` has them, but for a long one, which stays on the disk until it is asked for.
    ///
    /// - Throws: ``SpoolError``: `closed`, `systemError` when a segment cannot be read.
    package func nextDelivery() throws(SpoolError) -> SpoolDelivery? {
        try reader.withLock { reader throws(SpoolError) in try reader.next(loading: false) }
    }

    /// A descriptor that poll(2) finds readable when ``next()`` has something after it returned nil.
    ///
    /// Only poll it; ``next()`` resets it. It is valid until ``close()``.
    public var readable: Int32 { shelf.readable.descriptor }

    /// Lets go of records: they are not handed out again, and segments that have no others are removed.
    ///
    /// It writes the cursor, a few bytes, to its file, so call it for many records at once. What it said survives `kill -9`;
    /// after a loss of power records acknowledged shortly before may be handed out again.
    ///
    /// - Parameter sequence: The number of the last of them; those before it are meant too. One that is not above those
    ///   acknowledged already does nothing.
    /// - Throws: ``SpoolError``: `closed`, `systemError`.
    public func acknowledge(through sequence: UInt64) throws(SpoolError) {
        try reader.withLock { reader throws(SpoolError) in try reader.acknowledge(through: sequence) }
    }

    // MARK: Both.

    /// What the spool holds and has lost.
    public var counts: SpoolCounts { shelf.counts }

    /// Writes what is in memory, makes it safe, and gives the directory free for another process.
    ///
    /// It waits for no room. Later calls of the other functions throw `closed`; a second call does nothing. Without it,
    /// the same happens, as far as it can, when the last reference goes.
    ///
    /// - Throws: ``SpoolError``: `full` when records in memory do not fit on the disk, and are lost; `systemError`.
    public func close() throws(SpoolError) {
        guard !shelf.isClosed.exchange(true, ordering: .sequentiallyConsistent) else { return }
        shelf.interrupt()
        defer {
            reader.withLock { $0.close() }
            shelf.work.ring()
            shelf.directory.release()
        }
        var failure: SpoolError?
        do throws(SpoolError) {
            try writer.state.withLock { writer throws(SpoolError) in try writer.close() }
        } catch {
            failure = error
        }
        if let error = shelf.finish(synchronizes: options.sync != .never), failure == nil {
            failure = SpoolError(
                .systemError, "cannot make the spool \(options.directory) safe on the disk", cause: error)
        }
        if let failure { throw failure }
    }
}
