internal import DedicatedThread
internal import Logging
internal import Spool

/// The batches that wait for one broker, on a thread of its own, since the disk may block.
///
/// A batch is a record of a spool, so that it reaches the broker as it was first tried. What processes that have ended
/// left behind is taken over, and goes first.
actor LaneSpool {
    private let thread = DedicatedThread(name: "muskrat-spool")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let folder: SpoolFolder
    private let logger: Logger
    /// The spools that have batches, in the order in which they are emptied; the last one takes new batches.
    private var spools: [Spool] = []
    /// How far the first of them was read.
    private var block: SpoolBlock.Iterator?
    /// The numbers of spools that cannot be opened.
    private var unusable: Set<Int> = []
    /// The batch that is to go first, and its number in its spool.
    private var head: (batch: MessageBatch, sequence: UInt64)?

    /// The flag of records that are batches, for other kinds to come.
    private static let flag: UInt8 = 1

    init(broker: String, key: RoutingKey, options: ProducerOptions) {
        folder = SpoolFolder(broker: broker, key: key, options: options)
        logger = options.logger
    }

    /// How many batches wait.
    var waitingBatches: UInt64 { spools.reduce(0) { $0 + $1.counts.waitingRecords } }

    /// Takes over what processes that have ended left behind, but for what cannot be opened, which stays where it is.
    ///
    /// - Returns: Whether there is something.
    func openExisting() throws(MessageLogError) -> Bool {
        for number in try folder.numbers() {
            do throws(MessageLogError) {
                guard let spool = try folder.open(number) else { continue }
                if spool.recovery.waitingRecords > 0 {
                    spools.append(spool)
                } else {
                    // No block comes that would tell of them.
                    tellLoss(spool.recovery.lostRecords)
                    try? spool.close()
                }
            } catch {
                unusable.insert(number)
                logger.error(
                    "messages of before cannot be taken over",
                    metadata: ["folder": "\(folder.path)/\(number)", "error": "\(error)"])
            }
        }
        return !spools.isEmpty
    }

    /// Puts a batch behind the others; when it returns, that is durable.
    func put(_ batch: MessageBatch) -> Result<Void, MessageLogError> {
        do throws(MessageLogError) {
            let spool = try lastSpool()
            guard batch.records.count <= spool.options.maximumRecord else {
                throw MessageLogError(
                    .full,
                    "\(batch.records.count) bytes of messages are more than the spool \(folder.path) takes at once, "
                        + "\(spool.options.maximumRecord): give it a higher limit, or make batches smaller")
            }
            try append(batch, to: spool)
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    private func append(_ batch: MessageBatch, to spool: Spool) throws(MessageLogError) {
        do throws(SpoolError) {
            let result = batch.records.withUnsafeBytes { bytes in
                Result { () throws(SpoolError) in try spool.store(bytes, flag: Self.flag) }
            }
            guard try result.get() == .appended else {
                throw SpoolError(.full, "the spool \(folder.path) has reached its limit, or the disk is full")
            }
        } catch {
            throw MessageLogError(error)
        }
    }

    private func lastSpool() throws(MessageLogError) -> Spool {
        if let last = spools.last { return last }
        try folder.make()
        var number = 1
        while true {
            if !unusable.contains(number), let spool = try folder.open(number) {
                spools = [spool]
                return spool
            }
            number += 1
        }
    }

    /// The batch that waits the longest; `nil` when none does.
    func first() throws(MessageLogError) -> MessageBatch? {
        if let head { return head.batch }
        do throws(SpoolError) {
            while let spool = spools.first {
                guard let record = try nextRecord(of: spool) else {
                    guard spools.count > 1 else { return nil }
                    spools.removeFirst()
                    try spool.close()
                    continue
                }
                guard record.flag == Self.flag, let batch = MessageBatch(records: Array(record.bytes)), !batch.isEmpty
                else {
                    // Its checksum is right, so that another program has put it there.
                    logger.error(
                        "a record of the spool is no batch of messages", metadata: ["folder": "\(folder.path)"])
                    try spool.acknowledge(through: record.sequence)
                    continue
                }
                head = (batch, record.sequence)
                return batch
            }
        } catch {
            throw MessageLogError(error)
        }
        return nil
    }

    private func nextRecord(of spool: Spool) throws(SpoolError) -> SpoolRecord? {
        while true {
            if let record = block?.next() { return record }
            block = nil
            guard let next = try spool.next() else { return nil }
            tellLoss(next.missingBefore)
            block = next.makeIterator()
        }
    }

    private func tellLoss(_ count: UInt64) {
        guard count > 0 else { return }
        logger.error(
            "batches in the spool are damaged and lost",
            metadata: ["folder": "\(folder.path)", "batches": "\(count)"])
    }

    /// Lets go of what ``first()`` gave.
    func removeFirst() throws(MessageLogError) {
        guard let head, let spool = spools.first else { return }
        do throws(SpoolError) {
            try spool.acknowledge(through: head.sequence)
        } catch {
            throw MessageLogError(error)
        }
        self.head = nil
    }

    /// Gives the folders free for other processes.
    func close() {
        for spool in spools {
            do {
                try spool.close()
            } catch {
                logger.error("cannot close the spool", metadata: ["folder": "\(folder.path)", "error": "\(error)"])
            }
        }
        spools = []
    }
}
