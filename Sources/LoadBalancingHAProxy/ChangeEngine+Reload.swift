internal import HAProxy
internal import LoadBalancing
internal import Logging

// What run time knows of servers, handed over to the process that takes another's place.
//
// The server state file knows something only while this worker has HAProxy started or reloaded: who starts it much later
// would have it begin with findings of long ago.
extension ChangeEngine {
    private var serverStateFile: AtomicFile { AtomicFile(path: options.serverStateFile) }

    /// Has HAProxy load the configuration on disk, knowing what the process that runs knows of its servers.
    ///
    /// A fault of the file costs no change: the new process then begins with servers that are up, and checks them.
    ///
    /// - Parameters:
    ///   - wanted: The configuration on disk.
    ///   - asked: What the process that runs was last asked for; nil when that is not known.
    ///   - known: The process that runs, as it is thought to be.
    ///   - presence: What runs.
    ///   - body: Loads it, and returns when the new process is there.
    /// - Returns: What `body` does.
    /// - Throws: What `body` does.
    func keepingServers<Value>(
        for wanted: Configuration, after asked: Configuration?, _ known: LiveState?,
        _ presence: LiveHAProxy.Presence, _ body: () async throws(DriverError) -> Value
    ) async throws(DriverError) -> Value {
        var file = ServerStateFile.empty
        if case .process = presence {
            let kept = KeptServers(
                from: asked, known, to: wanted, keepsOthers: options.reconciliation != .repair)
            do {
                file = try kept.file(from: try await haproxy.runtime.serversStateReply())
            } catch {
                logger.error("what checks have found is lost by this reload: \(error.message)")
            }
        }
        writeServerState(file)
        do throws(DriverError) {
            let value = try await body()
            writeServerState(.empty)
            return value
        } catch {
            writeServerState(.empty)
            throw error
        }
    }

    /// Forgets what an earlier worker, which ended amid a reload, has left over.
    func emptyServerState() {
        guard let bytes = try? serverStateFile.read(), bytes != ServerStateFile.empty.bytes else { return }
        writeServerState(.empty)
    }

    /// Removes the file with the configuration that names it.
    func removeServerState() {
        do { try serverStateFile.remove() } catch { logger.error("\(error)") }
    }

    private func writeServerState(_ file: ServerStateFile) {
        do {
            try serverStateFile.write(file.bytes)
        } catch {
            logger.error("\(error)")
            // An old one is worse than none.
            try? serverStateFile.remove()
        }
    }
}
