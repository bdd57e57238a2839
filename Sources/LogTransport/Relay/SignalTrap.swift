internal import DedicatedThread
internal import Glibc
internal import Synchronization

/// Takes signals of the process, and has something done about each on a thread of its own.
///
/// There, anything may be called; in a signal handler hardly anything may (signal-safety(7)). The handler that is
/// installed only writes the signal's number to a pipe. One trap at a time can be set in a process.
public final class SignalTrap: Sendable {
    private let previous: [(signal: Int32, action: sigaction)]
    private let hasEnded: Flag
    private let isReleased = Atomic<Bool>(false)

    /// Takes signals from now on.
    ///
    /// - Parameters:
    ///   - signals: Their numbers.
    ///   - action: What is done about one; signals that come meanwhile wait.
    /// - Throws: ``LogTransportError``: `unavailable` when another trap is set, `systemError` when a signal cannot be taken.
    public init(_ signals: [Int32], _ action: @escaping @Sendable (Int32) -> Void) throws(LogTransportError) {
        let reader = try SignalPipe.take()
        do throws(LogTransportError) {
            let hasEnded = try Flag()
            self.hasEnded = hasEnded
            var previous: [(signal: Int32, action: sigaction)] = []
            for signal in signals { previous.append((signal, try Self.install(for: signal))) }
            self.previous = previous
            DedicatedThread(name: "signals").start {
                var number: UInt8 = 0
                while read(reader, &number, 1) == 1 || errno == EINTR {
                    guard number != SignalPipe.end else { break }
                    action(Int32(number))
                }
                hasEnded.set()
            }
        } catch {
            SignalPipe.release()
            throw error
        }
    }

    deinit { release() }

    /// Lets the signals do again what they did before; waits until no action is under way.
    public func release() {
        guard !isReleased.exchange(true, ordering: .relaxed) else { return }
        for entry in previous {
            var action = entry.action
            _ = sigaction(entry.signal, &action, nil)
        }
        SignalPipe.write(SignalPipe.end)
        try? Wait.any(of: [Wait(.descriptor(hasEnded.descriptor), .input)])
        SignalPipe.release()
    }

    private static func install(for signal: Int32) throws(LogTransportError) -> sigaction {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { SignalPipe.write(UInt8(truncatingIfNeeded: $0)) }
        action.sa_flags = SA_RESTART
        var previous = sigaction()
        guard sigaction(signal, &action, &previous) == 0 else {
            let reason = String(cString: strerror(errno))
            throw LogTransportError(.systemError, "signal \(signal) cannot be taken: \(reason)")
        }
        return previous
    }
}

/// The pipe between the signal handler and the thread of a trap; it is made once, and stays for the life of the process,
/// so that a handler that is under way never writes to a descriptor that has become another's.
private enum SignalPipe {
    /// No signal's number: the thread is to end.
    static let end: UInt8 = 0

    private static let ends = Mutex<(reader: Int32, isTaken: Bool)>((-1, false))
    private static let writer = Atomic<Int32>(-1)

    /// Takes the pipe for a trap.
    ///
    /// - Returns: Where to read the numbers of signals.
    static func take() throws(LogTransportError) -> Int32 {
        try ends.withLock { (ends) throws(LogTransportError) in
            guard !ends.isTaken else {
                throw LogTransportError(
                    .unavailable, "the signals of this process are taken already: run one relay, or run(under:) several"
                )
            }
            if ends.reader < 0 {
                var made: [Int32] = [-1, -1]
                guard pipe(&made) == 0 else {
                    throw LogTransportError(.systemError, "no pipe for signals: \(String(cString: strerror(errno)))")
                }
                for end in made { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
                // The handler must not wait; a full pipe has signals enough.
                _ = fcntl(made[1], F_SETFL, O_NONBLOCK)
                ends.reader = made[0]
                writer.store(made[1], ordering: .releasing)
            }
            ends.isTaken = true
            return ends.reader
        }
    }

    static func release() { ends.withLock { $0.isTaken = false } }

    /// Writes a number; to be called from a signal handler too.
    static func write(_ number: UInt8) {
        let saved = errno
        var number = number
        _ = Glibc.write(writer.load(ordering: .acquiring), &number, 1)
        errno = saved
    }
}
