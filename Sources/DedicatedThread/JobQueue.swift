import Glibc

/// The closures that wait for one thread, and the thread itself.
///
/// `@unchecked Sendable`: every access to the stored properties below `mutex` happens with `mutex` held.
final class JobQueue: @unchecked Sendable {
    private let name: String
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [() -> Void] = []
    private var isStarted = false
    private var isClosed = false

    init(name: String) {
        self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    func append(_ work: @escaping () -> Void) {
        locked {
            waiting.append(work)
            if !isStarted {
                isStarted = true
                startThread()
            }
            pthread_cond_signal(changed)
        }
    }

    /// Lets the thread end once it has run what waits.
    func close() {
        locked {
            isClosed = true
            pthread_cond_signal(changed)
        }
    }

    private func startThread() {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let status = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<JobQueue>.fromOpaque(context).takeRetainedValue().work()
                return nil
            }, context)
        // Out of threads or memory: no job of this executor could ever run, and none of its callers go on.
        precondition(status == 0, "no thread for '\(name)': \(String(cString: strerror(status)))")
    }

    /// Names the calling thread; a name that cannot be set is not worth an error.
    private func nameThread() {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { Glibc.close(file) }
        _ = write(file, name, name.utf8.count)
    }

    private func work() {
        nameThread()
        while let batch = next() {
            for job in batch { job() }
        }
    }

    private func next() -> [() -> Void]? {
        locked {
            while waiting.isEmpty && !isClosed { pthread_cond_wait(changed, mutex) }
            defer { waiting.removeAll(keepingCapacity: waiting.capacity <= 64) }
            return waiting.isEmpty ? nil : waiting
        }
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
