import Glibc

/// The two pipes from a daemon that starts: one says "ready", the other carries its standard error.
///
/// They are two because a program that the daemon starts inherits standard error and may keep it open: only the other
/// pipe's end is the daemon's end.
final class HandshakePipes {
    let ready: Pipe
    let words: Pipe

    struct Pipe {
        let readEnd: Int32
        let writeEnd: Int32
    }

    init() throws(DaemonError) {
        ready = try Self.makePipe()
        words = try Self.makePipe()
        for end in [ready.readEnd, words.readEnd] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    }

    func closeWriteEnds() {
        close(ready.writeEnd)
        close(words.writeEnd)
    }

    deinit {
        close(ready.readEnd)
        close(words.readEnd)
    }

    /// A pipe with close-on-exec, on descriptors that none of those in the child can collide with.
    private static func makePipe() throws(DaemonError) -> Pipe {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw DaemonError(.spawn, "cannot make a pipe", cause: lastError) }
        defer { for end in ends { close(end) } }
        let moved = ends.map { fcntl($0, F_DUPFD_CLOEXEC, 10) }
        guard moved.allSatisfy({ $0 >= 0 }) else { throw DaemonError(.spawn, "cannot make a pipe", cause: lastError) }
        return Pipe(readEnd: moved[0], writeEnd: moved[1])
    }
}
