import Gearman
import LoadBalancing
import Synchronization

/// What DIAGNOSTICS says about the job servers: the controller needs it before there is a worker, whose handler it is.
final class JobServers: Sendable {
    private let worker = Mutex<Worker?>(nil)

    func follow(_ worker: Worker) {
        self.worker.withLock { $0 = worker }
    }

    func read() -> [JobServerReport] {
        let worker = worker.withLock { $0 }
        return (worker?.status ?? []).map {
            JobServerReport(host: $0.server.description, isConnected: $0.isConnected)
        }
    }
}
