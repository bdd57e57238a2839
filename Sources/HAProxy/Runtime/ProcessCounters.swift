/// What one process of HAProxy has counted, and which process it is.
public struct ProcessCounters: Hashable, Sendable {
    /// The process's id (`Pid`).
    public let processID: Int32
    /// When it started, in seconds since 1970 (`Start_time_sec`): this tells it from a later process of the same id.
    public let startTime: Int64
    /// Whether it was told to end and only finishes what it has (`Stopping`).
    public let isStopping: Bool
    /// What keeps a process that was told to end, the connection on which it answers included (`Jobs` without
    /// `Unstoppable Jobs`).
    public let jobs: Int
    /// The rows of its backends.
    public let backends: Statistics

    /// - Throws: ``HAProxyError`` with the code `unreadableReply` when HAProxy does not tell when it started.
    init(_ info: RuntimeInfo, _ backends: Statistics) throws(HAProxyError) {
        guard let startTime = info["Start_time_sec"].flatMap({ Int64($0) }) else {
            throw HAProxyError(
                .unreadableReply, "HAProxy \(info.version) does not tell when it started: install 2.5 or later")
        }
        processID = info.processID
        self.startTime = startTime
        isStopping = info.isStopping
        jobs = (info["Jobs"].flatMap { Int($0) } ?? 0) - (info["Unstoppable Jobs"].flatMap { Int($0) } ?? 0)
        self.backends = backends
    }

    /// Reads the replies to `show info` and `show stat` that came one after the other over one connection.
    init(_ reply: [UInt8]) throws(HAProxyError) {
        // A blank line ends each.
        guard reply.suffix(2).elementsEqual("\n\n".utf8),
            let end = zip(reply, reply.dropFirst()).enumerated().first(where: { $1 == (10, 10) })?.offset
        else { throw HAProxyError(.connectionLost, "HAProxy closed the connection amid its counters") }
        let rest = Array(reply[(end + 2)...].drop { $0 == 10 })
        try self.init(RuntimeInfo(Array(reply[...end])), Statistics(rest))
    }
}

extension RuntimeCommand {
    /// `show info` and the rows of backends, from one and the same process.
    static func showCounters(prefix: String = "") -> RuntimeCommand {
        let rows = showStat(kinds: .backends)
        return RuntimeCommand("\(prefix)\(showInfo.text);\(prefix)\(rows.text)", success: .content)
    }
}

extension RuntimeClient {
    /// The counters of the process that answers, and which one that is.
    ///
    /// - Returns: The process and the rows of its backends.
    /// - Throws: ``HAProxyError`` as ``send(_:)`` does, or with the code `unreadableReply`.
    public func counters() async throws(HAProxyError) -> ProcessCounters {
        try await reading { () throws(HAProxyError) in try ProcessCounters(try await self.send(.showCounters())) }
    }
}

extension MasterClient {
    /// The counters of one worker, also of an old one that finishes what it has.
    ///
    /// - Returns: The process and the rows of its backends.
    /// - Throws: ``HAProxyError`` as ``RuntimeClient/send(_:)`` does; with the code `unreadableReply` when there is no
    ///   such worker.
    public func counters(ofWorker processID: Int32) async throws(HAProxyError) -> ProcessCounters {
        try ProcessCounters(try await client.send(.showCounters(prefix: "@!\(processID) ")))
    }
}
