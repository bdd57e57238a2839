/// What `show stat` says: a row for each frontend, backend and server (Management Guide, section 9.1).
public struct Statistics: Hashable, Sendable {
    /// The rows, in HAProxy's order.
    public let rows: [Row]

    /// One row.
    public struct Row: Hashable, Sendable {
        /// What a row is about.
        public enum Kind: Hashable, Sendable {
            /// A frontend as a whole.
            case frontend
            /// A backend as a whole.
            case backend
            /// One server.
            case server
            /// One bind of a frontend, where `option socket-stats` is on.
            case listener
        }

        /// What the row is about (`type`).
        public var kind: Kind
        /// The name of the frontend or backend (`pxname`).
        public var proxy: String
        /// The server's name; `FRONTEND` and `BACKEND` for those (`svname`).
        public var server: String
        /// Its state (`status`).
        public var status: ServerStatus
        /// Its weight; for a backend the sum over its servers that are up (`weight`).
        public var weight: Int
        /// Whether it is an active server; for a backend how many are up (`act`).
        public var activeServers: Int
        /// Whether it is a backup server; for a backend how many are up (`bck`).
        public var backupServers: Int
        /// The last health check's result as a code such as `L4OK`, `L7STS`, or with `* ` while one runs; empty when
        /// there was none (`check_status`).
        public var checkStatus: String
        /// What that code means, in words (`check_desc`).
        public var checkDescription: String
        /// What the last check saw, in words: the response's first line, or an error (`last_chk`).
        public var lastCheck: String
        /// Sessions at this moment (`scur`).
        public var currentSessions: UInt64
        /// How many sessions it takes at a time; nil for a server without a limit (`slim`).
        public var sessionLimit: UInt64?
        /// Sessions since the counters were cleared (`stot`).
        public var totalSessions: UInt64
        /// HTTP requests; zero in mode tcp (`req_tot`).
        public var totalRequests: UInt64
        /// Bytes from clients (`bin`).
        public var bytesIn: UInt64
        /// Bytes to clients (`bout`).
        public var bytesOut: UInt64
        /// How long ago the state changed; nil where it never did (`lastchg`).
        public var lastChange: Duration?
        /// The address and port of a server, as its socket has them (`addr`).
        public var address: String
        /// The value of the server's cookie (`cookie`).
        public var cookie: String
    }

    /// Reads a reply to `show stat`.
    ///
    /// Columns are found by the reply's first line, so their order and columns that are new do not matter.
    ///
    /// - Parameter reply: The reply's bytes.
    /// - Throws: ``HAProxyError`` with the code `unreadableReply` when a column that a row cannot do without is missing,
    ///   or a row is not CSV.
    public init(_ reply: [UInt8]) throws(HAProxyError) {
        rows = try StatisticsParser.rows(reply)
    }

    /// The row of a frontend.
    public func frontend(_ name: ProxyName) -> Row? {
        rows.first { $0.kind == .frontend && $0.proxy == name.text }
    }

    /// The row of a backend.
    public func backend(_ name: ProxyName) -> Row? {
        rows.first { $0.kind == .backend && $0.proxy == name.text }
    }

    /// The rows of a backend's servers, in order.
    public func servers(of backend: ProxyName) -> [Row] {
        rows.filter { $0.kind == .server && $0.proxy == backend.text }
    }
}
