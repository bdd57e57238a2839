internal import DedicatedThread
internal import Glibc
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
    /// - Returns: The reply's bytes, with the line ends that close it.
    /// - Throws: ``HAProxyError`` with the code `notRunning`, `permissionDenied`, `timedOut`, `connectionLost` or
    ///   `replyTooLarge`.
    public func send(_ command: RuntimeCommand) async throws(HAProxyError) -> [UInt8] {
        let reply = try await exchange(Array(command.text.utf8) + [UInt8(ascii: "\n")])
        // HAProxy ends every reply with a line's end, an empty one too: what has none was cut short.
        guard reply.last == UInt8(ascii: "\n") else {
            throw HAProxyError(
                .connectionLost,
                "HAProxy closed the connection to \(socket) before its reply to '\(command)' was complete")
        }
        return reply
    }

    /// Sends a command that changes something, and makes sure that HAProxy did it.
    ///
    /// - Throws: ``HAProxyError`` as ``send(_:)`` does, and with the code `commandRefused` and HAProxy's own words.
    public func perform(_ command: RuntimeCommand) async throws(HAProxyError) {
        try command.checkSuccess(of: try await send(command))
    }

    /// Sends commands one after the other, over one connection, and stops at the first that HAProxy refuses.
    ///
    /// Through socat each command has a connection of its own.
    ///
    /// - Throws: ``HAProxyError`` as ``perform(_:)`` does; what came before the command it names was done.
    public func perform(_ commands: [RuntimeCommand]) async throws(HAProxyError) {
        guard commands.count > 1, access != .socat else {
            for command in commands { try await perform(command) }
            return
        }
        do throws(HAProxyError) {
            try performDirectly(commands)
        } catch let error where error.code == .permissionDenied && access == .auto {
            // The socket could not be opened, so nothing was sent.
            for command in commands { try await perform(command) }
        }
    }

    /// The process that answers.
    ///
    /// - Returns: What it says of itself.
    /// - Throws: ``HAProxyError`` as ``send(_:)`` does, or with the code `unreadableReply`.
    public func info() async throws(HAProxyError) -> RuntimeInfo {
        try await reading { () throws(HAProxyError) in try RuntimeInfo(try await self.send(.showInfo)) }
    }

    /// Counters and states.
    ///
    /// - Parameters:
    ///   - proxy: Only this frontend or backend.
    ///   - kinds: Which rows.
    /// - Returns: The rows.
    /// - Throws: ``HAProxyError`` as ``send(_:)`` does, or with the code `unreadableReply`.
    public func statistics(
        proxy: ProxyName? = nil, kinds: RuntimeCommand.StatisticsKinds = .all
    ) async throws(HAProxyError) -> Statistics {
        try await reading { () throws(HAProxyError) in
            let reply = try await self.send(.showStat(proxy: proxy, kinds: kinds))
            // Every row ends with a line's end; the reply ends with a blank line.
            guard reply.suffix(2).elementsEqual("\n\n".utf8) else {
                throw HAProxyError(
                    .connectionLost, "HAProxy closed the connection to \(self.socket) amid its statistics")
            }
            return try Statistics(reply)
        }
    }

    /// Asks once more when the process that was asked ended meanwhile: its successor answers, or nobody does.
    func reading<Value>(
        _ body: () async throws(HAProxyError) -> Value
    ) async throws(HAProxyError) -> Value {
        do throws(HAProxyError) {
            return try await body()
        } catch let error where error.code == .connectionLost {
            return try await body()
        }
    }

    /// What run time knows of servers.
    ///
    /// - Parameter backend: Only this backend's.
    /// - Returns: The servers.
    /// - Throws: ``HAProxyError`` as ``send(_:)`` does, or with the code `unreadableReply`.
    public func serversState(backend: ProxyName? = nil) async throws(HAProxyError) -> ServersState {
        try ServersState(try await serversStateReply(backend: backend))
    }

    /// What run time knows of servers, as HAProxy says it, for ``ServerStateFile``.
    ///
    /// - Parameter backend: Only this backend's.
    /// - Returns: The reply.
    /// - Throws: ``HAProxyError`` as ``serversState(backend:)`` does.
    public func serversStateReply(backend: ProxyName? = nil) async throws(HAProxyError) -> [UInt8] {
        let reply = try await send(.showServersState(backend: backend))
        guard reply.suffix(2).elementsEqual("\n\n".utf8) else {
            // A refusal, such as that of an unknown backend, is a line.
            let words = String(decoding: reply.prefix(200).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            throw HAProxyError(.unreadableReply, "HAProxy answered 'show servers state' with \(quoted(words))")
        }
        return reply
    }

    /// The highest number of a server in the stick table of a backend; the server may be gone since.
    ///
    /// - Parameters:
    ///   - backend: The backend, which has a stick table.
    ///   - number: Only numbers above this are looked at: HAProxy takes 14 ms for 200,000 entries of which none has such.
    /// - Returns: The number; nil when none is above `number`.
    /// - Throws: ``HAProxyError`` as ``send(_:)`` does, or with the code `unreadableReply`.
    public func highestServerNumber(
        inTableOf backend: ProxyName, above number: Int
    ) async throws(HAProxyError) -> Int? {
        let reply = try StickTableReply(try await send(.showTable(backend, serverNumbersAbove: number)))
        return reply.serverNumbers.filter { $0 > number }.max()
    }

    /// Waits until another process than `processID` answers and does not stop: the new one after a reload.
    ///
    /// - Parameters:
    ///   - processID: The process before the reload; nil takes any.
    ///   - limit: How long to wait.
    /// - Returns: What the new process says of itself.
    /// - Throws: ``HAProxyError`` with the code `timedOut` when that did not happen within `limit`.
    public func waitForProcess(
        otherThan processID: Int32?, within limit: Duration
    ) async throws(HAProxyError) -> RuntimeInfo {
        try await retrying(within: limit, "no new HAProxy process answered on \(socket)") { () throws(HAProxyError) in
            let info = try await self.info()
            return info.processID == processID || info.isStopping ? nil : info
        }
    }

    private func exchange(_ request: [UInt8]) async throws(HAProxyError) -> [UInt8] {
        switch access {
        case .direct:
            return try exchangeDirectly(request)
        case .socat:
            return try await exchangeThroughSocat(request)
        case .auto:
            do throws(HAProxyError) {
                return try exchangeDirectly(request)
            } catch let error where error.code == .permissionDenied {
                return try await exchangeThroughSocat(request)
            }
        }
    }

    private func exchangeDirectly(_ request: [UInt8]) throws(HAProxyError) -> [UInt8] {
        let deadline = Deadline(in: timeout)
        let connection = try SocketConnection(to: socket, by: deadline)
        try connection.send(request, by: deadline)
        return try connection.receive(upTo: maximumReplySize, by: deadline)
    }

    /// An interactive session (Management Guide, section 9.3, `prompt`): HAProxy takes a line after the other, and says by
    /// its prompt when it has answered.
    private func performDirectly(_ commands: [RuntimeCommand]) throws(HAProxyError) {
        let connection = try SocketConnection(to: socket, by: Deadline(in: timeout))
        let prompt = Array("\n> ".utf8)
        func exchange(_ text: String) throws(HAProxyError) -> [UInt8] {
            let deadline = Deadline(in: timeout)
            try connection.write(Array(text.utf8) + [UInt8(ascii: "\n")], by: deadline)
            return try connection.receive(endingWith: prompt, upTo: maximumReplySize, by: deadline)
        }
        _ = try exchange("prompt")
        for command in commands { try command.checkSuccess(of: try exchange(command.text)) }
    }

    private func exchangeThroughSocat(_ request: [UInt8]) async throws(HAProxyError) -> [UInt8] {
        let command = SudoCommand.socat(to: socket)
        let outcome = try await CommandRunner.run(
            command, input: request, outputLimit: maximumReplySize, within: timeout)
        guard outcome.isSuccess else {
            // socat says what the system told it, in the words of strerror(3).
            let words = outcome.words
            if words.contains("No such file or directory") { throw socketFailure(socket, ENOENT, limit: timeout) }
            if words.contains("Connection refused") { throw socketFailure(socket, ECONNREFUSED, limit: timeout) }
            throw outcome.failure(.commandFailed)
        }
        return outcome.output
    }
}
