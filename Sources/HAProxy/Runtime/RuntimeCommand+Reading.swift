extension RuntimeCommand {
    /// Which rows `show stat` has.
    public struct StatisticsKinds: OptionSet, Hashable, Sendable {
        /// The sum of the kinds' numbers in section 9.3, `show stat`.
        public let rawValue: Int

        /// Creates a set.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// The rows of frontends.
        public static let frontends = StatisticsKinds(rawValue: 1)
        /// The rows of backends.
        public static let backends = StatisticsKinds(rawValue: 2)
        /// The rows of servers.
        public static let servers = StatisticsKinds(rawValue: 4)
        /// Every row.
        public static let all: StatisticsKinds = [.frontends, .backends, .servers]
    }

    /// `show info`: the process's state, read by ``RuntimeInfo``.
    public static let showInfo = RuntimeCommand("show info", success: .content)

    /// `show stat`: counters and states, read by ``Statistics``.
    ///
    /// - Parameters:
    ///   - proxy: Only this frontend or backend; a name that both have gives one of them.
    ///   - kinds: Which rows.
    /// - Returns: The command.
    public static func showStat(proxy: ProxyName? = nil, kinds: StatisticsKinds = .all) -> RuntimeCommand {
        guard proxy != nil || kinds != .all else { return RuntimeCommand("show stat", success: .content) }
        return RuntimeCommand("show stat \(proxy?.text ?? "-1") \(kinds.rawValue) -1", success: .content)
    }

    /// `show stat`: the counters and the state of one server, which is named by its number in its backend.
    public static func showStat(_ backend: ProxyName, serverNumber: Int) -> RuntimeCommand {
        RuntimeCommand("show stat \(backend.text) 4 \(serverNumber)", success: .content)
    }

    /// `show servers state`: what ``Global/serverStateFile`` may hold.
    ///
    /// - Parameter backend: Only this backend.
    /// - Returns: The command.
    public static func showServersState(backend: ProxyName? = nil) -> RuntimeCommand {
        RuntimeCommand("show servers state" + (backend.map { " \($0.text)" } ?? ""), success: .content)
    }

    /// `show table`: the entries of a backend's stick table that refer to servers with numbers above one, read by
    /// ``StickTableReply``.
    public static func showTable(_ backend: ProxyName, serverNumbersAbove number: Int) -> RuntimeCommand {
        RuntimeCommand("show table \(backend.text) data.server_id gt \(number)", success: .content)
    }

    /// `show proc`: the processes of a master; the master's socket takes it, read by ``ProcessList``.
    public static let showProc = RuntimeCommand("show proc", success: .content)
}
