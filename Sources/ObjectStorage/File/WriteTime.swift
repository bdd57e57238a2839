import Glibc
import Synchronization

/// The time that a file gets as that of its last change.
///
/// The kernel's own goes in steps of some milliseconds, within which an object can be replaced twice and its file have the
/// number of the one before last again. This one goes in nanoseconds, and never gives the same time twice in a process.
enum WriteTime {
    private static let last = Atomic<Int64>(0)

    static func next() -> timespec {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let time = Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
        var before = last.load(ordering: .relaxed)
        while true {
            // A clock that was set back by more than an instant is believed; the tag has the file's number as well.
            let next = time <= before && before - time < 1_000_000_000 ? before + 1 : time
            let (exchanged, found) = last.compareExchange(expected: before, desired: next, ordering: .relaxed)
            if exchanged { return timespec(tv_sec: Int(next / 1_000_000_000), tv_nsec: Int(next % 1_000_000_000)) }
            before = found
        }
    }
}
