internal import DedicatedThread
internal import Glibc
public import SystemPackage

/// A lasting connection to one process of HAProxy (`prompt`; Management Guide, section 9.3), on a thread of its own.
///
/// It goes on answering for its process after another one took over the socket. As long as it is open, a process that was
/// told to end does not, but for `hard-stop-after`: so that its last counters can be read.
public actor RuntimeSession {
    private let thread: DedicatedThread
    /// The actor's own thread, on which it may block.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let socket: FilePath
    private let access: SocketAccess
    private let timeout: Duration
    private var connection: SocketConnection?
    /// The process on the other side, once it has said so, of a connection by socat: that does not pass on its end.
    private var watchedProcess: Int32?
    private var isThroughSocat = false

    /// Describes a session; ``open()`` opens it.
    ///
    /// - Parameters:
    ///   - socket: The path of the `stats socket`, at most 107 bytes.
    ///   - access: How it is reached; through socat, that runs for as long as the session.
    ///   - timeout: How long a call may take.
    public init(socket: FilePath, access: SocketAccess = .auto, timeout: Duration = .seconds(10)) {
        thread = DedicatedThread(name: "haproxy-session")
        self.socket = socket
        self.access = access
        self.timeout = timeout
    }

    /// Connects to the process that has the socket now.
    ///
    /// - Throws: ``HAProxyError`` with the code `notRunning`, `permissionDenied`, `timedOut` or `connectionLost`; through
    ///   socat, `connectionLost` also when sudo does not run it or nobody listens.
    public func open() throws(HAProxyError) {
        connection = try connect()
        _ = try answer(to: "prompt")
    }

    private func connect() throws(HAProxyError) -> SocketConnection {
        if access != .socat {
            do throws(HAProxyError) {
                return try SocketConnection(to: socket, by: Deadline(in: timeout))
            } catch let error where error.code == .permissionDenied && access == .auto {}
        }
        isThroughSocat = true
        return try SocketConnection(throughSocatTo: socket)
    }

    /// The counters of the process.
    ///
    /// - Returns: The process and the rows of its backends.
    /// - Throws: ``HAProxyError`` with the code `connectionLost` when the process has ended, or the session was closed; or
    ///   `timedOut` or `unreadableReply`.
    public func counters() throws(HAProxyError) -> ProcessCounters {
        if let watchedProcess, kill(watchedProcess, 0) != 0, errno == ESRCH {
            throw HAProxyError(.connectionLost, "HAProxy's process \(watchedProcess) has ended")
        }
        let info = try RuntimeInfo(try answer(to: RuntimeCommand.showInfo.text))
        if isThroughSocat { watchedProcess = info.processID }
        return try ProcessCounters(info, Statistics(try answer(to: RuntimeCommand.showStat(kinds: .backends).text)))
    }

    /// Ends the connections that pass through backends, as `hard-stop-after` would do.
    ///
    /// HAProxy counts them as they end, while the process is still there to be asked. They are ended one by one, for
    /// `shutdown sessions server` does nothing in a process that was told to end.
    ///
    /// - Throws: ``HAProxyError`` as ``counters()`` does.
    public func endConnections() throws(HAProxyError) {
        var rest = StreamAddress.list(in: try answer(to: RuntimeCommand.showStreams.text))[...]
        while !rest.isEmpty {
            // A line has to fit into HAProxy's buffer of 16 KiB; each of its commands is answered by itself.
            let part = rest.prefix(200)
            rest = rest.dropFirst(200)
            let line = part.map { RuntimeCommand.shutdownStream($0).text }.joined(separator: ";")
            _ = try answer(to: line, commands: part.count)
        }
    }

    /// The process on the other side.
    ///
    /// - Throws: ``HAProxyError`` as ``counters()`` does.
    public func info() throws(HAProxyError) -> RuntimeInfo {
        try RuntimeInfo(try answer(to: RuntimeCommand.showInfo.text))
    }

    /// Sends a command that changes something, and makes sure that HAProxy did it.
    ///
    /// - Throws: ``HAProxyError`` as ``counters()`` does, and with the code `commandRefused` and HAProxy's own words.
    public func perform(_ command: RuntimeCommand) throws(HAProxyError) {
        try command.checkSuccess(of: try answer(to: command.text))
    }

    /// Ends the session.
    public func close() { connection = nil }

    private func answer(to command: String, commands: Int = 1) throws(HAProxyError) -> [UInt8] {
        let deadline = Deadline(in: timeout)
        try connection?.write(Array(command.utf8) + [UInt8(ascii: "\n")], by: deadline)
        guard
            let reply = try connection?.receive(
                endingWith: Self.prompt, times: commands, upTo: Self.longestReply, by: deadline)
        else {
            throw HAProxyError(.connectionLost, "the session with HAProxy on \(socket) was closed")
        }
        return reply + [UInt8(ascii: "\n")]
    }

    private static let prompt = Array("\n> ".utf8)
    private static let longestReply = 256 << 20
}
