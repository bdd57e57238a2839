import Glibc
public import Logging
public import ServiceLifecycle
import UnixSignals

/// The service that opens a log file again at each SIGHUP, as logrotate wants it.
///
/// Signals count from the moment it is created, so create it before the daemon says that it is ready.
public struct LogReopening: Service {
    private let file: LogFile?
    private let logger: Logger
    private let signals: UnixSignalsSequence

    /// Begins to take SIGHUP.
    ///
    /// - Parameters:
    ///   - file: The file; nil when there is none, and SIGHUP does nothing.
    ///   - logger: Where it is said that the file was opened, or could not be.
    public init(_ file: LogFile?, logger: Logger) async {
        self.file = file
        self.logger = logger
        signals = await UnixSignalsSequence(trapping: .sighup)
    }

    /// Takes signals until the daemon is to end.
    public func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() {
            guard let file else { continue }
            do {
                try file.reopen()
                logger.info("the log was opened again", metadata: ["path": "\(file.path)"])
            } catch {
                logger.error("the log could not be opened again, and goes on in the old file: \(error)")
            }
        }
    }
}
