public import SystemPackage

extension ProcessService {
    /// Where \`stage\` writes.
    public var stagedFile: FilePath { FilePath(configurationFile.string + ".new") }
    /// The backup.
    public var backupFile: FilePath { FilePath(configurationFile.string + ".backup") }

    public func version() async throws(HAProxyError) -> Version { throw HAProxyError(.notInstalled, "not written yet") }
    public func isRunning() async throws(HAProxyError) -> Bool { throw HAProxyError(.notInstalled, "not written yet") }
    public func check(configurationAt file: FilePath) async throws(HAProxyError) {}
    public func stage(_ configuration: String) async throws(HAProxyError) -> FilePath { stagedFile }
    public func installStaged() async throws(HAProxyError) {}
    public func discardStaged() async throws(HAProxyError) {}
    public func backUp() async throws(HAProxyError) {}
    public func restore() async throws(HAProxyError) {}
    public func removeConfiguration() async throws(HAProxyError) {}
    public func readConfiguration() async throws(HAProxyError) -> [UInt8]? { nil }
    public func start() async throws(HAProxyError) {}
    public func stop() async throws(HAProxyError) {}
    public func reload() async throws(HAProxyError) {}
}
