internal import DedicatedThread
public import SystemPackage

/// A client of HAProxy's Runtime API: a `stats socket`, on a thread of its own.
///
/// Each call opens a connection, so a client outlives restarts of HAProxy; calls run one after the other. Whoever must
/// not wait behind a long reply takes another client.
public actor RuntimeClient {
    private let thread = DedicatedThread(name: "haproxy-runtime")
    /// The actor's own thread, on which it may block.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// The socket.
    public nonisolated let socket: FilePath
    /// How the socket is reached.
    public nonisolated let access: SocketAccess
    /// How long a call may take.
    public nonisolated let timeout: Duration
    /// The longest reply, in bytes.
    public nonisolated let maximumReplySize: Int

    /// Creates a client; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - socket: The path of the socket, at most 107 bytes.
    ///   - access: How it is reached.
    ///   - timeout: How long a call may take.
    ///   - maximumReplySize: The longest reply, in bytes; `show stat` takes about 260 for each server.
    public init(
        socket: FilePath, access: SocketAccess = .auto, timeout: Duration = .seconds(10),
        maximumReplySize: Int = 256 << 20
    ) {
        self.socket = socket
        self.access = access
        self.timeout = timeout
        self.maximumReplySize = maximumReplySize
    }

    /// Sends a command and returns the reply, whatever it says.
    ///
    /// - Returns: The reply's bytes without the blank line that ends it.
    /// - Throws: ``HAProxyError`` with the code `notRunning`, `permissionDenied`, `timedOut`, `connectionLost` or
    ///   `replyTooLarge`.
    public func send(_ command: RuntimeCommand) async throws(HAProxyError) -> [UInt8] {
        throw HAProxyError(.notRunning, "")
    }

    /// Sends a command that changes something, and makes sure that HAProxy did it.
    ///
    /// - Throws: ``HAProxyError`` as ``send(_:)`` does, and with the code `commandRefused` and HAProxy's own words.
    public func perform(_ command: RuntimeCommand) async throws(HAProxyError) {
        throw HAProxyError(.notRunning, "")
    }

    /// Sends commands one after the other, and stops at the first that HAProxy refuses.
    ///
    /// - Throws: ``HAProxyError`` as ``perform(_:)`` does; what came before the command it names was done.
    public func perform(_ commands: [RuntimeCommand]) async throws(HAProxyError) {
        throw HAProxyError(.notRunning, "")
    }

    /// The process that answers.
    ///
    /// - Throws: ``HAProxyError`` as ``send(_:)`` does, or with the code `unreadableReply`.
    public func info() async throws(HAProxyError) -> RuntimeInfo {
        throw HAProxyError(.notRunning, "")
    }

    /// Counters and states.
    ///
    /// - Parameters:
    ///   - proxy: Only this frontend or backend.
    ///   - kinds: Which rows.
    /// - Throws: ``HAProxyError`` as ``send(_:)`` does, or with the code `unreadableReply`.
    public func statistics(
        proxy: ProxyName? = nil, kinds: RuntimeCommand.StatisticsKinds = .all
    ) async throws(HAProxyError) -> Statistics {
        throw HAProxyError(.notRunning, "")
    }

    /// Waits until another process than `processID` answers and does not stop: the new one after a reload.
    ///
    /// - Returns: What the new process says of itself.
    /// - Throws: ``HAProxyError`` with the code `timedOut` when that did not happen within `limit`.
    public func waitForProcess(
        otherThan processID: Int32?, within limit: Duration
    ) async throws(HAProxyError) -> RuntimeInfo {
        throw HAProxyError(.notRunning, "")
    }
}
