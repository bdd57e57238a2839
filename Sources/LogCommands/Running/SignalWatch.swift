internal import DaemonKit
internal import DedicatedThread
internal import Glibc

/// Takes the signals that mean something to a log command, on a thread of its own, from its first moment to its last.
///
/// They are blocked in every thread, and waited for in one. So none of them ends the process by itself: not before the
/// command is ready for them, and not while it says its last line.
package final class SignalWatch: Sendable {
    private let thread = DedicatedThread(name: "signals")

    private static let numbers = [SIGTERM, SIGINT, SIGHUP, SIGUSR1]

    /// Blocks the signals, until somebody watches.
    ///
    /// Those that come meanwhile are not lost. SIGPIPE is ignored. To be called in `main`, while the process has one thread: the others inherit it.
    package static func hold() {
        Signals.ignoreBrokenPipes()
        var signals = signalSet()
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Begins to watch, for as long as the process lasts.
    ///
    /// - Parameter take: What to do with a signal; it is called with one at a time.
    @discardableResult
    package init(_ take: @escaping @Sendable (Int32) -> Void) {
        let thread = thread
        Task {
            await thread.run {
                var signals = Self.signalSet()
                while true {
                    var number: Int32 = 0
                    if sigwait(&signals, &number) == 0 { take(number) }
                }
            }
        }
    }

    private static func signalSet() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in numbers { sigaddset(&signals, number) }
        return signals
    }
}
