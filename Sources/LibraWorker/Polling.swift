import LoadBalancingHAProxy
import ServiceLifecycle

/// Looks at HAProxy at the start and then at an interval: keeps what it has counted, and compares what runs with what was
/// last asked for.
struct Polling: Service {
    let driver: HAProxyDriver
    /// The time between two looks; with zero there is none.
    let interval: Duration

    func run() async throws {
        guard interval > .zero else {
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // First, for a repair may replace the process.
                await driver.sampleTraffic()
                await driver.reconcile()
                try? await Task.sleep(for: interval)
            }
        }
    }
}
