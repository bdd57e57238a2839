internal import Glibc
internal import Synchronization

/// The programs that run now, each the leader of a process group of its own.
///
/// What a terminal sends to the command's group, as at Ctrl-C, does not reach them: they finish the message that they have.
final class ProgramGroups: Sendable {
    private let leaders = Mutex<Set<pid_t>>([])

    /// Notes that a program runs.
    func insert(_ leader: pid_t) { leaders.withLock { _ = $0.insert(leader) } }

    /// Notes that it has ended, so that nobody else's group is taken for it.
    func remove(_ leader: pid_t) { leaders.withLock { _ = $0.remove(leader) } }

    /// Sends a signal to each, and to what they have started.
    func signal(_ number: Int32) {
        leaders.withLock { leaders in
            for leader in leaders { kill(-leader, number) }
        }
    }
}
