public import SystemPackage

/// Starts, stops and reloads HAProxy, and keeps its configuration file.
///
/// A new configuration goes by ``stage(_:)``, ``check(configurationAt:)``, ``backUp()``, ``installStaged()`` and
/// ``reload()``; ``restore()`` undoes it. Whoever changes something does so one call at a time; questions may be asked at
/// any time.
public protocol ServiceControl: Sendable {
    /// The file that HAProxy reads.
    var configurationFile: FilePath { get }
    /// Where ``backUp()`` puts a copy of it.
    var backupFile: FilePath { get }
    /// Where ``stage(_:)`` writes, on no one's way.
    var stagedFile: FilePath { get }

    /// The installed HAProxy's version.
    ///
    /// - Throws: ``HAProxyError`` with the code `notInstalled`, `commandFailed` or `timedOut`.
    func version() async throws(HAProxyError) -> Version

    /// Whether HAProxy runs.
    func isRunning() async throws(HAProxyError) -> Bool

    /// Lets HAProxy check a file, as `haproxy -c -f FILE` does.
    ///
    /// - Throws: ``HAProxyError`` with the code `invalidConfiguration` and HAProxy's own words.
    func check(configurationAt file: FilePath) async throws(HAProxyError)

    /// Writes a configuration beside the one in use: a new file, mode 0600, on disk when the call returns.
    ///
    /// - Returns: ``stagedFile``.
    /// - Throws: ``HAProxyError`` with the code `inputOutput` or `permissionDenied`, naming the path.
    @discardableResult
    func stage(_ configuration: String) async throws(HAProxyError) -> FilePath

    /// Puts the staged file in the place of the configuration, whole or not at all.
    ///
    /// - Throws: ``HAProxyError`` naming the path.
    func installStaged() async throws(HAProxyError)

    /// Removes the staged file, if there is one.
    ///
    /// - Throws: ``HAProxyError`` naming the path.
    func discardStaged() async throws(HAProxyError)

    /// Copies the configuration to the backup. Without a configuration there is no backup afterwards.
    ///
    /// - Throws: ``HAProxyError`` naming the path.
    func backUp() async throws(HAProxyError)

    /// Copies the backup over the configuration. Without a backup there is no configuration afterwards.
    ///
    /// - Throws: ``HAProxyError`` naming the path.
    func restore() async throws(HAProxyError)

    /// Removes the configuration and its backup, those that there are.
    ///
    /// - Throws: ``HAProxyError`` naming the path.
    func removeConfiguration() async throws(HAProxyError)

    /// The bytes of the configuration; nil when there is none.
    ///
    /// - Throws: ``HAProxyError`` naming the path.
    func readConfiguration() async throws(HAProxyError) -> [UInt8]?

    /// The bytes of the backup; nil when there is none.
    ///
    /// - Throws: ``HAProxyError`` naming the path.
    func readBackup() async throws(HAProxyError) -> [UInt8]?

    /// Starts HAProxy; nothing happens when it runs.
    ///
    /// - Throws: ``HAProxyError`` with the code `startFailed` and HAProxy's own words.
    func start() async throws(HAProxyError)

    /// Stops HAProxy and returns when it has ended; nothing happens when none runs.
    ///
    /// - Throws: ``HAProxyError`` with the code `stopFailed`.
    func stop() async throws(HAProxyError)

    /// Makes HAProxy serve the configuration that is in its place now, without a refused connection.
    ///
    /// - Throws: ``HAProxyError`` with the code `reloadFailed` and HAProxy's own words; it then goes on as before. With
    ///   the code `notRunning` when there is nothing to reload.
    func reload() async throws(HAProxyError)
}

extension ServiceControl {
    /// Stages a configuration and puts it in place.
    ///
    /// - Throws: ``HAProxyError`` naming the path.
    public func install(_ configuration: String) async throws(HAProxyError) {
        try await stage(configuration)
        try await installStaged()
    }
}
