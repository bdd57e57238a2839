import Glibc

/// State that several threads share, and on whose changes a thread can wait.
///
/// Threads of their own may block here; Swift's cooperative threads only ever hold the lock for a moment.
///
/// `@unchecked Sendable`: `state` is only touched with `mutex` held.
package final class ThreadMonitor<State>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    package init(_ state: State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Reads the state, or changes it in a way on which no thread waits.
    package func withLock<Value>(_ body: (inout State) -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&state)
    }

    /// Changes the state and lets every thread that waits look at it again.
    package func update<Value>(_ body: (inout State) -> Value) -> Value {
        withLock { state in
            defer { pthread_cond_broadcast(changed) }
            return body(&state)
        }
    }

    /// Lets every thread that waits look at the state again.
    package func signal() { pthread_cond_broadcast(changed) }

    /// Blocks this thread until the state has what it waits for.
    ///
    /// - Parameter body: Looks at the state, and may change it: with each look either the value, or until when to wait
    ///   for a change at most before the next look.
    /// - Returns: The value.
    package func wait<Value>(_ body: (inout State) -> Looked<Value>) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            // One access for each look: an access that lasts over the wait would allow the compiler to look only once.
            switch body(&state) {
            case .value(let value):
                // What was taken may be what another thread waits to see gone.
                pthread_cond_broadcast(changed)
                return value
            case .wait(until: nil):
                pthread_cond_wait(changed, mutex)
            case .wait(until: let deadline?):
                var time = monotonicTime(at: deadline)
                pthread_cond_timedwait(changed, mutex, &time)
            }
        }
    }
}

/// What a look at the state of a ``ThreadMonitor`` led to.
package enum Looked<Value> {
    case value(Value)
    case wait(until: ContinuousClock.Instant?)
}

/// The kernel's monotonic clock at an instant of Swift's, which on Linux counts from somewhere else.
private func monotonicTime(at instant: ContinuousClock.Instant) -> timespec {
    let left = max(.zero, ContinuousClock.now.duration(to: instant)).components
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let nanoseconds = time.tv_nsec + Int(left.attoseconds / 1_000_000_000)
    time.tv_sec += Int(left.seconds) + nanoseconds / 1_000_000_000
    time.tv_nsec = nanoseconds % 1_000_000_000
    return time
}
