internal import HAProxy
internal import LoadBalancing
internal import Logging

// Comparing what runs with what was last asked for.
extension ChangeEngine {
    /// Logs each difference, and repairs them unless that is not wanted; a host without balancers is left alone.
    func reconcile() async {
        guard options.reconciliation != .off else { return }
        await gate.enter()
        defer { gate.leave() }
        do throws(DriverError) {
            if let change = try store.pending() {
                let fault = "a change is neither undone nor finished"
                logger.warning("\(fault)")
                guard options.reconciliation == .repair else { return }
                try await repair([fault]) { () async throws(DriverError) in
                    try await finishOrUndo(change)
                    return nil
                }
            }
            guard !store.current.balancers.isEmpty else { return }
            let (differences, sight) = try await differences()
            for difference in differences { logger.warning("not as it was asked for: \(difference)") }
            guard !differences.isEmpty, options.reconciliation == .repair else { return }
            // What is remembered is not what runs.
            live = nil
            try await repair(differences) { () async throws(DriverError) in
                try await apply(store.current, seen: sight)
            }
            startRetiring()
            logger.notice("what was asked for is restored")
        } catch {
            logger.error("what runs cannot be compared with what was asked for, or restored: \(error.message)")
        }
    }

    /// Puts something right, and tells of it, also when that fails.
    func repair(
        _ differences: [String], _ body: () async throws(DriverError) -> ChangeSummary?
    ) async throws(DriverError) {
        let start = ContinuousClock.now
        func tell(_ summary: ChangeSummary?, _ error: String?) {
            onRepair(
                RepairReport(
                    differences: differences, summary: summary, error: error, duration: start.duration(to: .now)))
        }
        do throws(DriverError) {
            tell(try await body(), nil)
        } catch {
            tell(nil, error.message)
            throw error
        }
    }

    /// What is different, each in words that say what would repair it, and what was seen, if it could be.
    private func differences() async throws(DriverError) -> ([String], Sight?) {
        let (configuration, text) = try rendered(store.current)
        let current = try await readConfiguration()
        var differences: [String] = []
        if current?.elementsEqual(text.utf8) != true {
            differences.append("the configuration file \(service.configurationFile) has other content, or is gone")
        }
        guard case .process(let process) = try await haproxy.presence() else {
            return (differences + ["HAProxy does not run, or answers on no socket of this worker's"], nil)
        }
        guard var sight = await look(at: .process(process), current) else {
            return (differences + ["the proxies that run, or where they listen"], nil)
        }
        do throws(HAProxyError) {
            try sight.actual.observeLimits(in: try await haproxy.runtime.statistics(kinds: .servers))
        } catch {
            throw DriverError(error)
        }
        switch Planner.plan(from: sight.actual, to: configuration) {
        case .nothing: return (differences, sight)
        case .steps(let steps): return (differences + steps.map(\.description), sight)
        case .reload(let reasons): return (differences + reasons, sight)
        }
    }
}
