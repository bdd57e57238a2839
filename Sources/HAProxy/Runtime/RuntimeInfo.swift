/// What `show info` says about a HAProxy process (Management Guide, section 9.3).
public struct RuntimeInfo: Hashable, Sendable {
    /// The process's id (`Pid`).
    public let processID: Int32
    /// Its version, for example `2.6.12-1+deb12u4` (`Version`).
    public let version: String
    /// How long it has run, in whole seconds (`Uptime_sec`).
    public let uptime: Duration
    /// Connections at this moment (`CurrConns`).
    public let currentConnections: Int
    /// Whether it was told to end and only finishes what it has (`Stopping`).
    public let isStopping: Bool

    private let values: [String: String]

    /// Any other value by the name that HAProxy gives it.
    public subscript(name: String) -> String? { values[name] }

    /// Reads a reply to `show info`.
    ///
    /// - Parameter reply: The reply's bytes: lines of `Name: value`.
    /// - Throws: ``HAProxyError`` with the code `unreadableReply` when the process's id or version is missing.
    public init(_ reply: [UInt8]) throws(HAProxyError) {
        var values: [String: String] = [:]
        for line in reply.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let value = line[(colon + 1)...].drop { $0 == UInt8(ascii: " ") }
            values[String(decoding: line[..<colon], as: UTF8.self)] = String(decoding: value, as: UTF8.self)
        }
        guard let processID = values["Pid"].flatMap({ Int32($0) }), processID > 0, let version = values["Version"]
        else {
            let text = quoted(String(decoding: reply.prefix(80), as: UTF8.self))
            throw HAProxyError(.unreadableReply, "HAProxy's reply to 'show info' has no Pid and Version: \(text)")
        }
        self.processID = processID
        self.version = version
        uptime = .seconds(values["Uptime_sec"].flatMap { Int($0) } ?? 0)
        currentConnections = values["CurrConns"].flatMap { Int($0) } ?? 0
        isStopping = values["Stopping"] == "1"
        self.values = values
    }
}
