/// What `show servers state` says: what run time knows of each server (Management Guide, section 9.3).
public struct ServersState: Hashable, Sendable {
    /// The servers, in HAProxy's order.
    public let rows: [Row]

    /// One server.
    public struct Row: Hashable, Sendable {
        /// The backend that it belongs to (`be_name`).
        public var backend: String
        /// Its number in its backend (`srv_id`).
        public var number: Int
        /// Its name (`srv_name`).
        public var name: String
        /// Its address; `-` while a host name has none (`srv_addr`).
        public var address: String
        /// Its port (`srv_port`).
        public var port: Int
        /// Its weight as an operator or the configuration has it (`srv_uweight`).
        public var weight: Int
        /// Whether checks have found it down, or it is in maintenance (`srv_op_state`).
        public var isDown: Bool
        /// What an operator wants of it (`srv_admin_state`).
        public var adminState: RuntimeCommand.ServerAdminState
        /// Whether it is in maintenance because its host name has no address (`srv_admin_state`).
        public var isUnresolved: Bool
        /// How many good checks count for it (`srv_check_health`).
        public var health: Int
        /// Whether it is checked: it has checks, and nobody has stopped them (`srv_check_state`).
        public var isChecked: Bool
        /// The port of its checks where it is one of their own; else 0 (`srv_check_port`).
        public var checkPort: Int
        /// The address of its checks where it is one of their own (`srv_check_addr`).
        public var checkAddress: String?
        /// The host name that its address was found by; nil when the address was given (`srv_fqdn`).
        public var hostName: String?
    }

    /// Some of the servers of a reply.
    public init(rows: [Row]) { self.rows = rows }

    /// Reads a reply to `show servers state`.
    ///
    /// Columns are found by the reply's second line, so their order and columns that are new do not matter.
    ///
    /// - Parameter reply: The reply's bytes: a version, the columns, and a line a server.
    /// - Throws: ``HAProxyError`` with the code `unreadableReply` when the version is not 1, or a column is missing.
    public init(_ reply: [UInt8]) throws(HAProxyError) {
        let (newline, space) = (UInt8(ascii: "\n"), UInt8(ascii: " "))
        var lines = reply.split(separator: newline)[...]
        guard lines.popFirst()?.elementsEqual("1".utf8) == true, let header = lines.popFirst() else {
            throw HAProxyError(.unreadableReply, "HAProxy's reply to 'show servers state' is not of version 1")
        }
        let names = header.split(separator: space).dropFirst().map { String(decoding: $0, as: UTF8.self) }
        let columns = try Columns(names)
        var rows: [Row] = []
        rows.reserveCapacity(lines.count)
        for line in lines {
            let fields = line.split(separator: space)
            guard let row = Row(fields, columns) else {
                throw HAProxyError(
                    .unreadableReply,
                    "line \(rows.count + 3) of HAProxy's servers state is \(quoted(String(decoding: line, as: UTF8.self)))"
                )
            }
            rows.append(row)
        }
        self.rows = rows
    }
}

extension ServersState {
    fileprivate struct Columns {
        let backend, number, name, address, port, weight, isDown, adminState, health, checkState: Int
        let checkPort, checkAddress, hostName: Int
        let count: Int

        init(_ names: [String]) throws(HAProxyError) {
            func column(_ name: String) throws(HAProxyError) -> Int {
                guard let index = names.firstIndex(of: name) else {
                    throw HAProxyError(.unreadableReply, "HAProxy's servers state has no column '\(name)'")
                }
                return index
            }
            backend = try column("be_name")
            number = try column("srv_id")
            name = try column("srv_name")
            address = try column("srv_addr")
            port = try column("srv_port")
            weight = try column("srv_uweight")
            isDown = try column("srv_op_state")
            adminState = try column("srv_admin_state")
            health = try column("srv_check_health")
            checkState = try column("srv_check_state")
            checkPort = try column("srv_check_port")
            checkAddress = try column("srv_check_addr")
            hostName = try column("srv_fqdn")
            count = names.count
        }
    }
}

extension ServersState.Row {
    fileprivate init?(_ fields: [ArraySlice<UInt8>], _ columns: ServersState.Columns) {
        guard fields.count >= columns.count else { return nil }
        func text(_ column: Int) -> String { String(decoding: fields[column], as: UTF8.self) }
        func number(_ column: Int) -> Int? {
            fields[column].reduce(0 as Int?) { sum, byte in
                guard let sum, byte >= 48, byte < 58, sum < Int.max / 20 else { return nil }
                return sum * 10 + Int(byte - 48)
            }
        }
        guard let identifier = number(columns.number), let port = number(columns.port),
            let weight = number(columns.weight), let operation = number(columns.isDown),
            let state = number(columns.adminState), let checks = number(columns.health),
            let checkState = number(columns.checkState), let checkPort = number(columns.checkPort)
        else { return nil }
        backend = text(columns.backend)
        self.number = identifier
        name = text(columns.name)
        address = text(columns.address)
        self.port = port
        self.weight = weight
        // `enum srv_state`: stopped is the first.
        isDown = operation == 0
        // Bits of `enum srv_admin` in HAProxy's server-t.h: maintenance that is forced or inherited, drain that is forced
        // or inherited. Maintenance for want of an address (0x20) is nobody's wish.
        adminState = state & 0x03 != 0 ? .maint : state & 0x18 != 0 ? .drain : .ready
        // `SRV_ADMF_RMAINT` and `SRV_ADMF_HMAINT`.
        isUnresolved = state & 0x60 != 0
        health = checks
        // `CHK_ST_ENABLED`.
        isChecked = checkState & 0x04 != 0
        self.checkPort = checkPort
        let checkAddress = text(columns.checkAddress)
        self.checkAddress = checkAddress == "-" ? nil : checkAddress
        let host = text(columns.hostName)
        hostName = host == "-" ? nil : host
    }
}
