import LoadBalancingHAProxy
import ServiceLifecycle

/// Compares what runs with what was last asked for, at the start and then at an interval.
struct Reconciliation: Service {
    let driver: HAProxyDriver
    /// The time between two comparisons; with zero there is none.
    let interval: Duration

    func run() async throws {
        guard interval > .zero else {
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await driver.reconcile()
                try? await Task.sleep(for: interval)
            }
        }
    }
}
