import CivilTime

/// Finds out from the numbers of records which of them did not arrive.
///
/// It remembers the runs of programs that it has heard of last, ``capacity`` of them.
public struct MissedRecords: Sendable {
    /// How many runs are remembered.
    public static let capacity = 10_000

    /// What a record's number says.
    public enum Finding: Sendable, Hashable {
        /// Nothing is missing before it.
        case next
        /// As many are missing before it.
        case after(missing: UInt64)
        /// It was there before.
        case repeated
    }

    /// The longest name of a machine or a run that is remembered: names come from whoever sends.
    private static let longestName = 255

    private struct Sender: Hashable {
        let machine: String
        let pid: Int
        let run: String
    }

    private struct Last {
        let seq: UInt64
        let time: UTCTime
    }

    private var last: [Sender: Last] = [:]

    /// Begins without having heard of anybody: the first record of a run is its next, whatever its number.
    public init() {}

    /// Takes note of a record.
    ///
    /// Within a run numbers only rise, so one that is not higher was there before. Of a record without a run, as others may
    /// send it, the time tells: a lower number with a later time is another process.
    ///
    /// - Parameter record: The record; one without a number, or with too long a name, is always the next.
    /// - Returns: What its number says.
    public mutating func note(_ record: LogRecord) -> Finding {
        guard record.seq > 0, max(record.machine.utf8.count, record.run.utf8.count) <= Self.longestName else {
            return .next
        }
        let sender = Sender(machine: record.machine, pid: record.pid, run: record.run)
        let before = last[sender]
        if let before, record.seq <= before.seq, !record.run.isEmpty || record.time <= before.time { return .repeated }
        if before == nil, last.count >= Self.capacity { last.removeAll(keepingCapacity: true) }
        last[sender] = Last(seq: record.seq, time: record.time)
        // Numbers come from whoever sends: any of 64 bits is possible.
        guard let before, record.seq > before.seq, record.seq - before.seq > 1 else { return .next }
        return .after(missing: record.seq - before.seq - 1)
    }
}
