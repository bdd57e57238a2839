/// A server state file (Configuration Manual, section 3.1, `server-state-file`): what HAProxy knows of its servers when it
/// starts.
///
/// It has the columns of the reply to `show servers state` that it is made from. HAProxy finds a server in it by the
/// names of its backend and its own, takes its weight only where the one of the configuration (`srv_iweight`) is the same,
/// and leaves its port as the configuration has it.
public struct ServerStateFile: Hashable, Sendable {
    /// The file's bytes.
    public let bytes: [UInt8]

    /// A file that knows nothing: HAProxy complains of none at all.
    public static let empty = ServerStateFile(bytes: Array("1\n".utf8))

    /// What HAProxy is to know of a server.
    public struct Entry: Hashable, Sendable {
        /// The server, by the name that it has in the configuration.
        public var server: ServerName
        /// Whether it is down.
        public var isDown: Bool
        /// How many good checks count for it: below `rise` when it is down, and at most `rise + fall - 1`.
        public var health: Int
        /// What an operator wants of it.
        public var adminState: RuntimeCommand.ServerAdminState
        /// Whether the configuration has it in maintenance.
        public var isDisabled: Bool
        /// The weight that an operator gave it, or that of the configuration.
        public var weight: Weight
        /// The weight of the configuration.
        public var configuredWeight: Weight

        /// What a process knows of a server that was just started.
        public init(_ server: Server, isDown: Bool, health: Int) {
            self.server = server.name
            self.isDown = isDown
            self.health = health
            adminState = server.isDisabled ? .maint : .ready
            isDisabled = server.isDisabled
            weight = server.weight
            configuredWeight = server.weight
        }

        /// Bits of `enum srv_admin` in HAProxy's server-t.h: maintenance that is forced, that is the configuration's, and
        /// drain that is forced.
        fileprivate var adminBits: Int {
            let state =
                switch adminState {
                case .ready: 0
                case .drain: 0x08
                case .maint: 0x01
                }
            return state | (isDisabled ? 0x04 : 0)
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Makes a file from what run time knows.
    ///
    /// - Parameters:
    ///   - reply: HAProxy's reply to `show servers state`.
    ///   - entries: Says for each of its servers what is to be known of it; nil for nothing.
    /// - Throws: ``HAProxyError`` with the code `unreadableReply`.
    public init(_ reply: [UInt8], _ entries: ([ServersState.Row]) -> [Entry?]) throws(HAProxyError) {
        let entries = entries(try ServersState(reply).rows)
        let (newline, space) = (UInt8(ascii: "\n"), UInt8(ascii: " "))
        let lines = reply.split(separator: newline)
        // The columns' line begins with a `#` of its own.
        let columns = lines[1].split(separator: space).dropFirst().map { String(decoding: $0, as: UTF8.self) }
        let values = columns.map { Self.values[$0] }
        var bytes = Array(lines[0]) + [newline] + Array(lines[1]) + [newline]
        bytes.reserveCapacity(reply.count)
        for (entry, line) in zip(entries, lines.dropFirst(2)) {
            guard let entry else { continue }
            for (value, field) in zip(values, line.split(separator: space)) {
                if let value { bytes += value(entry).utf8 } else { bytes += field }
                bytes.append(space)
            }
            bytes[bytes.count - 1] = newline
        }
        self.bytes = bytes
    }

    /// The columns that an entry determines; the others stay as HAProxy says.
    ///
    /// Where checks go is for the configuration to say, and so is the address of a host name.
    private static let values: [String: @Sendable (Entry) -> String] = [
        "srv_name": { $0.server.text },
        "srv_addr": { _ in "-" },
        "srv_op_state": { $0.isDown ? "0" : "2" },
        "srv_admin_state": { "\($0.adminBits)" },
        "srv_uweight": { "\($0.weight.value)" },
        "srv_iweight": { "\($0.configuredWeight.value)" },
        "srv_check_health": { "\($0.health)" },
        // Configured and enabled.
        "srv_check_state": { _ in "6" },
        "srv_check_port": { _ in "0" },
        "srv_check_addr": { _ in "-" },
    ]
}
