/// The section `global`: the process as a whole.
///
/// See section 3 of the Configuration Manual. What is nil or empty is not written.
public struct Global: Hashable, Sendable {
    /// Where logs go.
    public var logTargets: [LogTarget] = []
    /// How many connections the process takes.
    public var maximumConnections: Count?
    /// The user that the process becomes, when it is started as root.
    public var user: Word?
    /// The group that the process becomes, when it is started as root.
    public var group: Word?
    /// Whether it goes to the background by itself, as with `-D`.
    public var isDaemon = false
    /// The sockets of the Runtime API.
    public var statsSockets: [StatsSocket] = []
    /// How long an idle Runtime API connection stays.
    public var statsTimeout: Milliseconds?
    /// When a process that was told to finish its connections ends them.
    public var hardStopAfter: Milliseconds?
    /// Within what time of a start every server has had its first check, unless checks are more frequent anyway
    /// (`max-spread-checks`).
    ///
    /// Without a limit first checks are spread over the longest interval. HAProxy (2.6) computes the place of each with 32
    /// bits: where an interval in milliseconds times the number of servers is 2^31 or more, it starts many at once.
    public var firstChecksWithin: Milliseconds?
    /// How many reloads a worker of a master may see before it is ended.
    public var maximumReloads: Count?
    /// The file from which backends load the state of their servers (``Backend/loadsServerState``).
    public var serverStateFile: ConfigurationPath?
    /// The number of threads.
    public var threads: Count?

    /// Creates an empty section.
    public init() {}
}

/// The section `defaults`: what proxies have unless they say otherwise.
///
/// See section 4 of the Configuration Manual. What is nil is not written.
public struct Defaults: Hashable, Sendable {
    /// The mode.
    public var mode: Mode?
    /// Whether proxies log where the section `global` says.
    public var logsGlobally = true
    /// The limits on waiting.
    public var timeouts = Timeouts()
    /// How often a failed connection to a server is tried again.
    public var retries: Count?

    /// Creates a section with `log global`.
    public init() {}
}

/// Where logs go: a syslog server or socket, a facility, and perhaps the least severe level to send (section 3.1, `log`).
public struct LogTarget: Hashable, Sendable, CustomStringConvertible {
    /// A syslog facility.
    public enum Facility: String, Hashable, Sendable, CaseIterable {
        /// A facility of RFC 5424, table 1, by HAProxy's name.
        case kern, user, mail, daemon, auth, syslog, lpr, news, uucp, cron, auth2, ftp, ntp, audit, alert, cron2
        /// A facility for local use.
        case local0, local1, local2, local3, local4, local5, local6, local7
    }

    /// A syslog severity.
    public enum Level: String, Hashable, Sendable, CaseIterable {
        /// A severity of RFC 5424, table 2, by HAProxy's name.
        case emerg, alert, crit, err, warning, notice, info, debug
    }

    /// A path such as `/dev/log`, or `ADDRESS:PORT`.
    public var address: Word
    /// The facility.
    public var facility: Facility
    /// The least severe level that is sent; nil sends all.
    public var level: Level?

    /// Creates a target.
    public init(address: Word, facility: Facility, level: Level? = nil) {
        self.address = address
        self.facility = facility
        self.level = level
    }

    /// Reads a target as an operator writes it: `ADDRESS FACILITY [LEVEL]`, for example `/dev/log local0`.
    ///
    /// - Throws: ``HAProxyError`` with the code `invalidValue`.
    public init(_ text: String) throws(HAProxyError) {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        guard (2...3).contains(words.count), let facility = Facility(rawValue: words[1]) else {
            throw HAProxyError(
                .invalidValue, "\(quoted(text)) is not a log target: write ADDRESS FACILITY, as in '/dev/log local0'")
        }
        address = try Word(words[0], as: "a log address")
        self.facility = facility
        level = words.count == 3 ? Level(rawValue: words[2]) : nil
        guard words.count == 2 || level != nil else {
            throw HAProxyError(.invalidValue, "\(quoted(words[2])) is not a log level, as in '/dev/log local0 info'")
        }
    }

    /// The target as HAProxy reads it.
    public var description: String {
        "\(address) \(facility.rawValue)" + (level.map { " \($0.rawValue)" } ?? "")
    }
}

/// A unix socket of the Runtime API (section 3.1, `stats socket`).
public struct StatsSocket: Hashable, Sendable {
    /// What may be done through a socket.
    public enum Level: String, Hashable, Sendable {
        /// Reading what is not sensitive.
        case user
        /// Reading.
        case `operator`
        /// Everything; `set`, `add` and `del` need it.
        case admin
    }

    /// Where it is; HAProxy adds its process id while it starts, so the path should leave some of the 108 bytes that
    /// unix sockets allow.
    public var path: ConfigurationPath
    /// Its owner; nil leaves the user that HAProxy starts as.
    public var user: Word?
    /// Its group; nil leaves the group that HAProxy starts as.
    public var group: Word?
    /// Its file mode, for example `0o660`; the lowest nine bits count.
    public var mode: UInt16?
    /// What may be done through it.
    public var level: Level
    /// Whether a new process may take over the listening sockets through it (`expose-fd listeners`); a master needs none.
    public var exposesListeners: Bool

    /// Creates a socket.
    public init(
        path: ConfigurationPath, user: Word? = nil, group: Word? = nil, mode: UInt16? = 0o600, level: Level = .admin,
        exposesListeners: Bool = false
    ) {
        self.path = path
        self.user = user
        self.group = group
        self.mode = mode
        self.level = level
        self.exposesListeners = exposesListeners
    }
}
