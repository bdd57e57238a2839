internal import CRabbitMQ
internal import Glibc
internal import Synchronization

/// A descriptor that one thread waits on and others make readable.
final class WakeUp: Sendable {
    /// What to poll for reading.
    let descriptor: Int32
    private let isSignalled = Atomic(false)

    init() throws(AMQPError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else {
            throw AMQPError(.systemError, "no event descriptor: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Makes the descriptor readable; one system call for many of these between two waits.
    func signal() {
        guard !isSignalled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Makes later signals count again; to be called before looking at what there is to do.
    func arm() { _ = isSignalled.exchange(false, ordering: .acquiringAndReleasing) }

    /// Waits until it is signalled or, unless it is negative, `other` has one of `events`.
    ///
    /// - Parameters:
    ///   - other: Another descriptor to wait for.
    ///   - events: What to wait for on it, as for `poll`.
    ///   - timeout: Milliseconds; negative for no end.
    func wait(other: Int32 = -1, events: Int32 = 0, timeout: Int32) {
        var entries = (
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other, events: Int16(events), revents: 0)
        )
        // An interruption by a signal is as good as any other reason to look what there is to do.
        withUnsafeMutablePointer(to: &entries) { pointer in
            pointer.withMemoryRebound(to: pollfd.self, capacity: 2) { _ = poll($0, 2, timeout) }
        }
        guard entries.0.revents != 0 else { return }
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
