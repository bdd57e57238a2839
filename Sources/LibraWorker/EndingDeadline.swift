import Glibc
import Logging
import ServiceLifecycle

/// Ends the process when it was asked to finish and does not, because a call into a dead disk or mount never returns.
///
/// Tasks can be cancelled, threads in a system call cannot. What such an end leaves behind is what a crash does, and the
/// next start deals with it.
struct EndingDeadline: Service {
    let limit: Duration
    let logger: Logger

    /// `EX_TEMPFAIL` of sysexits.h.
    private static let exitCode: Int32 = 75

    func run() async throws {
        try? await gracefulShutdown()
        Task.detached { [self] in
            try? await Task.sleep(for: limit)
            logger.critical("the worker does not come to its end within \(limit); it is ended")
            _exit(Self.exitCode)
        }
    }
}
