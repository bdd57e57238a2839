internal import DedicatedThread
internal import Glibc
public import SystemPackage

extension SystemService: ServiceControl {
    /// The file that the service reads.
    public var configurationFile: FilePath { paths.configuration }
    /// Its backup.
    public var backupFile: FilePath { paths.backup }
    /// Where a new configuration waits.
    public var stagedFile: FilePath { paths.staged }

    private var executable: HAProxyExecutable { HAProxyExecutable(path: paths.executable, timeout: timeout) }

    /// Asks `haproxy -v`.
    public func version() async throws(HAProxyError) -> Version { try await executable.version() }

    /// Asks `haproxy -c -f FILE`, as this user.
    public func check(configurationAt file: FilePath) async throws(HAProxyError) { try await executable.check(file) }

    /// Whether a process of the service's process id file is a HAProxy that runs as root or as ``user``.
    public func isRunning() async throws(HAProxyError) -> Bool {
        let (file, user) = (paths.processIDs, user)
        return try await thread.run { () throws(HAProxyError) in
            // The file of a HAProxy that was killed names whoever has its id since.
            let owners = ([0, userID(of: user)] as [UInt32?]).compactMap { $0 }.map(LiveProcess.Owner.init)
            return LiveProcess.list(in: try Files.read(file)).contains { $0.isHAProxy && owners.contains($0.owner) }
        }
    }

    /// Writes the file in the staging folder, as this user.
    @discardableResult
    public func stage(_ configuration: String) async throws(HAProxyError) -> FilePath {
        let file = paths.staged
        let folder = file.removingLastComponent()
        guard try await exists(folder) else {
            throw HAProxyError(
                .inputOutput,
                "the staging folder \(folder) is missing: root makes it with 'install -d -m 1770 -o root -g GROUP \(folder)', "
                    + "GROUP being this user's")
        }
        try await thread.run { () throws(HAProxyError) in try Files.write(Array(configuration.utf8), to: file) }
        return file
    }

    /// Runs `mv -T` of the staged file over the configuration.
    public func installStaged() async throws(HAProxyError) {
        try await run(.move(paths.staged, to: paths.configuration))
        await synchronize(paths.configuration)
    }

    /// Removes the staged file, if there is one.
    public func discardStaged() async throws(HAProxyError) {
        let file = paths.staged
        try await thread.run { () throws(HAProxyError) in try Files.remove(file) }
    }

    /// Runs `cp` of the configuration to the backup, or `rm` of the backup where there is no configuration.
    public func backUp() async throws(HAProxyError) { try await copy(paths.configuration, to: paths.backup) }

    /// Runs `cp` of the backup to the configuration, or `rm` of the configuration where there is no backup.
    public func restore() async throws(HAProxyError) { try await copy(paths.backup, to: paths.configuration) }

    /// Runs `rm` of the configuration and of its backup.
    public func removeConfiguration() async throws(HAProxyError) {
        try await run(.remove(paths.configuration))
        try await run(.remove(paths.backup))
        await synchronize(paths.configuration)
    }

    /// The bytes of the configuration; nil when there is none.
    public func readConfiguration() async throws(HAProxyError) -> [UInt8]? {
        let file = paths.configuration
        return try await thread.run { () throws(HAProxyError) in try Files.read(file) }
    }

    /// The bytes of the backup; nil when there is none.
    public func readBackup() async throws(HAProxyError) -> [UInt8]? {
        let file = paths.backup
        return try await thread.run { () throws(HAProxyError) in try Files.read(file) }
    }

    /// Runs `service haproxy start`.
    public func start() async throws(HAProxyError) {
        // Without the file the service's script succeeds and does nothing.
        guard try await exists(paths.configuration) else {
            throw HAProxyError(.startFailed, "HAProxy cannot start: there is no configuration \(paths.configuration)")
        }
        try await run(.service(.start), or: .startFailed, "HAProxy does not start")
        guard try await isRunning() else {
            throw HAProxyError(
                .startFailed, "'service haproxy start' succeeded, but no process of \(paths.processIDs) runs")
        }
    }

    /// Runs `service haproxy stop`, which waits for the end of HAProxy.
    public func stop() async throws(HAProxyError) {
        try await run(.service(.stop), or: .stopFailed, "HAProxy does not stop")
        guard try await !isRunning() else {
            throw HAProxyError(
                .stopFailed,
                "'service haproxy stop' succeeded, but HAProxy of \(paths.processIDs) still runs; does its script find "
                    + "a configuration?")
        }
    }

    /// Runs `service haproxy reload`.
    ///
    /// Under systemd that returns before the new worker is there: see ``RuntimeClient/waitForProcess(otherThan:within:)``.
    public func reload() async throws(HAProxyError) {
        guard try await isRunning() else {
            throw HAProxyError(.notRunning, "HAProxy cannot reload: it is not running (\(paths.processIDs))")
        }
        guard try await exists(paths.configuration) else {
            throw HAProxyError(.reloadFailed, "HAProxy cannot reload: there is no configuration \(paths.configuration)")
        }
        try await run(.service(.reload), or: .reloadFailed, "HAProxy does not take the new configuration")
    }

    private func run(
        _ command: SudoCommand, or code: HAProxyError.Code = .commandFailed, _ prefix: String? = nil
    ) async throws(HAProxyError) {
        let outcome = try await CommandRunner.run(command, within: timeout)
        guard outcome.isSuccess else { throw outcome.failure(code, prefix) }
    }

    private func copy(_ source: FilePath, to destination: FilePath) async throws(HAProxyError) {
        try await run(try await exists(source) ? .copy(source, to: destination) : .remove(destination))
        await synchronize(destination)
    }

    private func exists(_ file: FilePath) async throws(HAProxyError) -> Bool {
        try await thread.run { () throws(HAProxyError) in try Files.exists(file) }
    }

    private func synchronize(_ file: FilePath) async {
        await thread.run { Files.synchronize(file) }
    }
}

/// The id of a user of this machine; nil when there is none of that name.
private func userID(of name: String) -> UInt32? {
    var (entry, found): (passwd, UnsafeMutablePointer<passwd>?) = (passwd(), nil)
    var buffer = [CChar](repeating: 0, count: 16_384)
    guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
    return entry.pw_uid
}
