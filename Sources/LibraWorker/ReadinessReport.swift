import DaemonKit
import Gearman
import Logging
import ServiceLifecycle

/// Says that the worker serves, to whoever started it, once it is registered or has begun to retry.
struct ReadinessReport: Service {
    let worker: Worker
    let launch: DaemonLaunch?
    let notifier: SystemdNotifier
    let logger: Logger
    /// What else is to be done then.
    let onReady: @Sendable () -> Void

    func run() async throws {
        switch await worker.waitUntilReady() {
        case .registered: logger.notice("registered as \(worker.function)")
        case .retrying: logger.warning("no job server can be reached yet; the worker goes on trying")
        case .stopped: return
        }
        try launch?.ready()
        notifier.ready()
        onReady()
        try? await gracefulShutdown()
    }
}
