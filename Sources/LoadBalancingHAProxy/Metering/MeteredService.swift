internal import HAProxy
internal import LoadBalancing
internal import SystemPackage

/// A service control that has HAProxy's counters read before a process of it ends.
struct MeteredService: ServiceControl {
    private let base: any ServiceControl
    private let meter: TrafficMeter

    init(_ base: any ServiceControl, meter: TrafficMeter) {
        self.base = base
        self.meter = meter
    }

    func start() async throws(HAProxyError) {
        // A worker whose master was killed still answers, and is ended by a start.
        await meter.sample()
        try await base.start()
    }

    func stop() async throws(HAProxyError) {
        await meter.sample()
        try await base.stop()
    }

    func reload() async throws(HAProxyError) {
        let isHeld = await meter.hold()
        let result: Result<Void, HAProxyError>
        do throws(HAProxyError) { result = .success(try await base.reload()) } catch { result = .failure(error) }
        if !isHeld { await meter.followOldWorkers() }
        try result.get()
    }

    var configurationFile: FilePath { base.configurationFile }
    var backupFile: FilePath { base.backupFile }
    var stagedFile: FilePath { base.stagedFile }

    func version() async throws(HAProxyError) -> Version { try await base.version() }
    func isRunning() async throws(HAProxyError) -> Bool { try await base.isRunning() }
    func check(configurationAt file: FilePath) async throws(HAProxyError) {
        try await base.check(configurationAt: file)
    }
    func stage(_ configuration: String) async throws(HAProxyError) -> FilePath {
        try await base.stage(configuration)
    }
    func installStaged() async throws(HAProxyError) { try await base.installStaged() }
    func discardStaged() async throws(HAProxyError) { try await base.discardStaged() }
    func backUp() async throws(HAProxyError) { try await base.backUp() }
    func restore() async throws(HAProxyError) { try await base.restore() }
    func removeConfiguration() async throws(HAProxyError) { try await base.removeConfiguration() }
    func readConfiguration() async throws(HAProxyError) -> [UInt8]? { try await base.readConfiguration() }
    func readBackup() async throws(HAProxyError) -> [UInt8]? { try await base.readBackup() }
}
