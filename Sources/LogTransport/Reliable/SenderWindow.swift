/// The batches that were not acknowledged yet, in the order of their lines; bounded in bytes and in number.
struct SenderWindow {
    /// What is known about a batch; its lines are kept elsewhere, by the number of the first.
    struct Batch {
        let first: UInt64
        let lines: UInt32
        let bytes: Int
        /// How many of its lines were acknowledged.
        var done: UInt32 = 0
        /// Whether a receiver has it.
        var isOut = false
        /// Whether a receiver had it and did not acknowledge it.
        var wasOut = false
    }

    private let maximumBytes: Int
    private let maximumBatches: Int
    private var batches: [Batch] = []
    private(set) var bytes = 0
    private(set) var waiting = 0

    init(maximumBytes: Int, maximumBatches: Int) {
        self.maximumBytes = maximumBytes
        self.maximumBatches = maximumBatches
    }

    var isEmpty: Bool { batches.isEmpty }

    /// The number of the first line that is not acknowledged.
    var oldest: UInt64? { batches.first.map { $0.first + UInt64($0.done) } }

    /// How many lines are not acknowledged.
    var lines: UInt64 { batches.reduce(0) { $0 + UInt64($1.lines - $1.done) } }

    /// Whether there is room for a batch; an empty window has room for any.
    func hasRoom(for size: Int) -> Bool {
        batches.isEmpty || (bytes + size <= maximumBytes && batches.count < maximumBatches)
    }

    /// The first batch that no receiver has.
    var nextWaiting: Batch? {
        guard waiting > 0 else { return nil }
        return batches.first { !$0.isOut }
    }

    subscript(first: UInt64) -> Batch? { index(of: first).map { batches[$0] } }

    mutating func append(_ batch: Batch) {
        batches.append(batch)
        bytes += batch.bytes
        waiting += 1
    }

    mutating func markOut(_ first: UInt64) {
        guard let index = index(of: first), !batches[index].isOut else { return }
        batches[index].isOut = true
        waiting -= 1
    }

    /// Takes a batch back from the receiver that had it.
    mutating func takeBack(_ first: UInt64) {
        guard let index = index(of: first), batches[index].isOut else { return }
        batches[index].isOut = false
        batches[index].wasOut = true
        waiting += 1
    }

    mutating func acknowledge(_ first: UInt64, lines: UInt32) {
        guard let index = index(of: first) else { return }
        batches[index].done = max(batches[index].done, min(lines, batches[index].lines))
    }

    mutating func remove(_ first: UInt64) {
        guard let index = index(of: first) else { return }
        let batch = batches.remove(at: index)
        bytes -= batch.bytes
        if !batch.isOut { waiting -= 1 }
    }

    private func index(of first: UInt64) -> Int? {
        var (low, high) = (0, batches.count)
        while low < high {
            let middle = (low + high) / 2
            if batches[middle].first < first { low = middle + 1 } else { high = middle }
        }
        return low < batches.count && batches[low].first == first ? low : nil
    }
}
