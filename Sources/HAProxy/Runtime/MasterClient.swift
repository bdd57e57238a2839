public import SystemPackage

/// A client of a HAProxy master's socket (`haproxy -W -S`; Management Guide, section 9.4).
public struct MasterClient: Sendable {
    let client: RuntimeClient

    /// Creates a client; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - socket: The path of the master's socket, at most 107 bytes.
    ///   - access: How it is reached.
    ///   - timeout: How long a call may take, a reload apart.
    public init(socket: FilePath, access: SocketAccess = .direct, timeout: Duration = .seconds(10)) {
        client = RuntimeClient(socket: socket, access: access, timeout: timeout)
    }

    /// The master and its workers.
    ///
    /// - Returns: The processes.
    /// - Throws: ``HAProxyError`` as ``RuntimeClient/send(_:)`` does, or with the code `unreadableReply`.
    public func processes() async throws(HAProxyError) -> ProcessList {
        try ProcessList(try await client.send(.showProc))
    }

    /// Sends a command to one worker, also to an old one that finishes what it has.
    ///
    /// - Returns: The reply's bytes.
    /// - Throws: ``HAProxyError`` as ``RuntimeClient/send(_:)`` does.
    public func send(_ command: RuntimeCommand, toWorker processID: Int32) async throws(HAProxyError) -> [UInt8] {
        try await client.send(RuntimeCommand("@!\(processID) \(command.text)", success: command.success))
    }

    /// The counters of one worker, also of an old one that finishes what it has.
    ///
    /// - Returns: The rows.
    /// - Throws: ``HAProxyError`` as ``RuntimeClient/statistics(proxy:kinds:)`` does; with the code `unreadableReply` when
    ///   there is no such worker.
    public func statistics(ofWorker processID: Int32) async throws(HAProxyError) -> Statistics {
        try Statistics(try await send(.showStat(), toWorker: processID))
    }

    /// Makes the master read its configuration again, and waits until a new worker has its sockets.
    ///
    /// In 2.6 the master executes itself: it closes its socket, reads the configuration, binds what is new, starts the
    /// worker and only then answers again, with its count of reloads and of those that failed.
    ///
    /// - Parameter limit: How long that may take.
    /// - Returns: The master and its workers afterwards.
    /// - Throws: ``HAProxyError`` with the code `reloadFailed` when the master goes on with what it had, or `timedOut`.
    @discardableResult
    public func reload(within limit: Duration = .seconds(60)) async throws(HAProxyError) -> ProcessList {
        let before = try await processes()
        // The end of the connection is all there is to a reply.
        do throws(HAProxyError) {
            _ = try await client.send(RuntimeCommand("reload", success: .content))
        } catch let error where error.code == .connectionLost {}
        let after = try await retrying(within: limit, "HAProxy's master did not come back from its reload") {
            () throws(HAProxyError) in
            let now = try await processes()
            return now.master.reloads > before.master.reloads ? now : nil
        }
        guard after.master.failedReloads == 0, !after.workers.isEmpty else {
            throw HAProxyError(
                .reloadFailed, "HAProxy does not take the new configuration and goes on with the one it had")
        }
        return after
    }
}
