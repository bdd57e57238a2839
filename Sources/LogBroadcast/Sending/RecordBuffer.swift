import Glibc
import Logging

/// Records between those who log and the one thread that sends: bounded in bytes, and nobody who logs ever waits.
///
/// When it is full the oldest make room. Records are numbered here, so that numbers follow the order in which they leave,
/// and one that was dropped shows as a number that is missing.
///
/// The sender is woken by the first record after a pause only; while it has been busy a moment ago it looks again by
/// itself after ``doze``. So logging costs no system call while records keep coming, and an idle process sleeps.
///
/// `@unchecked Sendable`: every access to the stored properties below `mutex` happens with `mutex` held.
final class RecordBuffer: @unchecked Sendable {
    /// What the sender is told.
    struct Batch {
        /// Records in the order of their numbers.
        var records: [LogRecord]
        /// How many were dropped since the last batch.
        var dropped: UInt64
        /// Whether it was closed, and these are the last.
        var isLast: Bool
    }

    /// How long the sender waits for more before it goes to sleep, in milliseconds.
    static let doze = 5
    /// How many records a batch has at most.
    static let batch = 512

    private let limit: Int
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var ring: [LogRecord?] = []
    private var first = 0
    private var count = 0
    private var bytes = 0
    private var seq: UInt64 = 0
    private var dropped: UInt64 = 0
    private var isAsleep = false
    private var isClosed = false

    /// Creates an empty buffer.
    ///
    /// - Parameter limit: How many bytes it may hold; what a record takes is counted as its texts and 300 bytes.
    init(limit: Int) {
        self.limit = limit
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }
}

extension RecordBuffer {
    /// Adds a record and gives it its number; never waits for room.
    ///
    /// - Parameter record: The record; when it is larger than the whole buffer it counts as dropped.
    func append(_ record: LogRecord) {
        let size = record.size
        locked {
            guard !isClosed else { return }
            seq += 1
            guard size <= limit else {
                dropped += 1
                return
            }
            while bytes + size > limit { dropFirst() }
            if count == ring.count { grow() }
            var record = record
            record.seq = seq
            ring[(first + count) % ring.count] = record
            count += 1
            bytes += size
            if isAsleep {
                isAsleep = false
                pthread_cond_signal(changed)
            }
        }
    }

    /// Waits for records; to be called by one thread.
    ///
    /// - Returns: What there is; without records when there is only to tell how many were dropped, or when it was closed.
    func next() -> Batch {
        locked {
            if isEmpty { dozeOff() }
            while isEmpty && !isClosed {
                isAsleep = true
                pthread_cond_wait(changed, mutex)
            }
            isAsleep = false
            var batch = Batch(records: [], dropped: dropped, isLast: false)
            dropped = 0
            batch.records.reserveCapacity(min(count, Self.batch))
            while batch.records.count < Self.batch, let record = takeFirst() { batch.records.append(record) }
            batch.isLast = isClosed && count == 0
            return batch
        }
    }

    /// Takes no more records; those that are here can still be taken.
    func close() {
        locked {
            isClosed = true
            isAsleep = false
            pthread_cond_signal(changed)
        }
    }

    /// How many records wait, and how many were dropped that nobody was told of.
    var counts: (waiting: Int, dropped: UInt64) { locked { (count, dropped) } }

    private var isEmpty: Bool { count == 0 && dropped == 0 }

    /// Waits for a moment in which nobody has to wake this thread.
    private func dozeOff() {
        var end = timespec()
        clock_gettime(CLOCK_REALTIME, &end)
        end.tv_nsec += Self.doze * 1_000_000
        if end.tv_nsec >= 1_000_000_000 {
            end.tv_sec += 1
            end.tv_nsec -= 1_000_000_000
        }
        while isEmpty && !isClosed, pthread_cond_timedwait(changed, mutex, &end) == 0 {}
    }

    private func dropFirst() {
        if takeFirst() != nil { dropped += 1 }
    }

    private func takeFirst() -> LogRecord? {
        guard count > 0, let record = ring[first] else { return nil }
        ring[first] = nil
        first = (first + 1) % ring.count
        count -= 1
        bytes -= record.size
        return record
    }

    private func grow() {
        var larger = (0..<count).map { ring[(first + $0) % ring.count] }
        larger.append(contentsOf: repeatElement(nil, count: max(64, count)))
        (ring, first) = (larger, 0)
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}

extension LogRecord {
    /// About how many bytes of memory it takes.
    fileprivate var size: Int {
        300 + message.utf8.count + (exception?.utf8.count ?? 0) + Self.size(of: .dictionary(metadata))
    }

    private static func size(of value: Logger.MetadataValue) -> Int {
        switch value {
        case .string(let text): text.utf8.count
        case .stringConvertible: 32
        case .array(let elements): elements.reduce(32) { $0 + size(of: $1) }
        case .dictionary(let members): members.reduce(0) { $0 + 64 + $1.key.utf8.count + size(of: $1.value) }
        }
    }
}
