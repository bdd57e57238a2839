/// The blocks whose messages libzmq has not let go of, in order, within a bound on what they take in memory.
struct SendLedger: ~Copyable {
    /// What a message takes besides its bytes: 64 of `zmq_msg_t` in the pipe to the peer, and an allocation.
    static let costPerMessage = 112
    /// The messages in one block at most: empty lines take memory too.
    static let mostMessages = 1024
    /// The bytes of a block of many messages.
    static let usualCapacity = 64 << 10
    private static let mostSpares = 48

    private struct Entry {
        let block: SendBlock
        var lastNumber: UInt64
        /// The lines in it, and in blocks that came after it and were forgotten before it.
        var lines: Int
        /// Those of them that are lost.
        var lostLines = 0
        /// How many lines are missing by the note that is all there is in the block; 0 in blocks of lines.
        let noted: UInt64
        /// Whether what libzmq has of it is known to be lost.
        var isWrittenOff = false

        /// The lines that libzmq has and may still send.
        var unreleasedLines: Int { isWrittenOff ? 0 : block.unreleasedLines }
    }

    /// What all blocks together may cost, but for a longer line alone.
    private let limit: Int
    private var entries: [Entry] = []
    private var spares: [SendBlock] = []
    /// What they take in memory.
    private(set) var cost = 0
    /// The number up to which every line in a block has left.
    private(set) var acknowledged: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    /// Whether every block was let go of, as far as ``reclaim()`` has seen.
    var isEmpty: Bool { entries.isEmpty }

    /// Whether libzmq has something that is lost and that it has not let go of.
    var hasLost: Bool { entries.first?.isWrittenOff == true }

    /// The lines that libzmq still has, and those that have left though one before them may not have.
    var lines: (unreleased: UInt64, ahead: UInt64) {
        let unreleased = entries.reduce(0) { $0 + $1.unreleasedLines }
        return (UInt64(unreleased), UInt64(entries.reduce(-unreleased) { $0 + $1.lines - $1.lostLines }))
    }

    /// Whether a block of this cost may be added; it always may where there is no other.
    mutating func hasRoom(for cost: Int) -> Bool {
        if entries.isEmpty || self.cost + cost <= limit { return true }
        reclaim()
        if entries.isEmpty || self.cost + cost <= limit { return true }
        reclaimOutOfOrder()
        return entries.isEmpty || self.cost + cost <= limit
    }

    /// A block for a message of `count` bytes, and for more if they are short.
    mutating func block(for count: Int, signal: SendSignal) throws(LogTransportError) -> SendBlock {
        if count <= Self.usualCapacity, let spare = spares.popLast() { return spare }
        return try SendBlock(capacity: max(count, Self.usualCapacity), signal: signal)
    }

    /// Takes in a block that was sealed.
    ///
    /// - Parameters:
    ///   - block: The block.
    ///   - noted: How many lines are missing by the note in it, where it has one and nothing else.
    mutating func append(_ block: SendBlock, noting noted: UInt64 = 0) {
        entries.append(Entry(block: block, lastNumber: block.lastNumber, lines: block.lines, noted: noted))
        cost += block.cost
    }

    /// Takes what libzmq has for lost, though it lets go of it only later.
    ///
    /// - Returns: The lines, with those that a lost note was about, and the number of the last; nil where there are none.
    mutating func writeOff() -> LostLines? {
        var lost = LostLines(count: 0, noted: 0, through: 0)
        for index in entries.indices where !entries[index].isWrittenOff && !entries[index].block.isReleased {
            entries[index].lostLines += entries[index].unreleasedLines
            lost.count += UInt64(entries[index].unreleasedLines)
            lost.noted += entries[index].noted
            lost.through = entries[index].lastNumber
            entries[index].isWrittenOff = true
        }
        return lost.count + lost.noted > 0 ? lost : nil
    }

    /// Forgets the oldest blocks, as far as they were let go of.
    mutating func reclaim() {
        var count = 0
        while count < entries.count, entries[count].block.isReleased {
            acknowledged = entries[count].lastNumber
            forget(entries[count].block)
            count += 1
        }
        if count > 0 { entries.removeFirst(count) }
    }

    /// Forgets blocks behind one that is not let go of, too: one receiver is slower than another.
    mutating func reclaimOutOfOrder() {
        var kept: [Entry] = []
        for entry in entries {
            if entry.block.isReleased, let last = kept.indices.last {
                // Its lines have left with those of the block before it.
                kept[last].lastNumber = entry.lastNumber
                kept[last].lines += entry.lines
                kept[last].lostLines += entry.lostLines
                forget(entry.block)
            } else {
                kept.append(entry)
            }
        }
        entries = kept
    }

    private mutating func forget(_ block: SendBlock) {
        cost -= block.cost
        if block.capacity == Self.usualCapacity && spares.count < Self.mostSpares { spares.append(block) }
    }
}

/// Lines that libzmq had and will not send.
struct LostLines: Equatable {
    /// How many they are.
    var count: UInt64
    /// How many more are missing by notes that are lost with them.
    var noted: UInt64
    /// The number of the last.
    var through: UInt64
}
