extension RuntimeCommand {
    /// What an operator wants of a server (section 9.3, `set server … state`).
    public enum ServerAdminState: String, Hashable, Sendable {
        /// It takes load.
        case ready
        /// It goes on with the connections it has, and with clients that belong to it.
        case drain
        /// It takes nothing, and is not checked.
        case maint
    }

    /// What checks have found of a server (section 9.3, `set server … health`).
    public enum ServerHealth: String, Hashable, Sendable {
        /// It can take load.
        case up
        /// It is about to end: it takes only clients that belong to it.
        case stopping
        /// It can take none.
        case down
    }

    /// `set server … health`: what is taken for the finding of the checks until the next one.
    public static func setServerHealth(
        _ backend: ProxyName, _ server: ServerName, _ health: ServerHealth
    ) -> RuntimeCommand {
        RuntimeCommand("set server \(path(backend, server)) health \(health.rawValue)", success: .silence)
    }

    /// `set weight`: a server's share of the load.
    public static func setWeight(_ backend: ProxyName, _ server: ServerName, _ weight: Weight) -> RuntimeCommand {
        RuntimeCommand("set weight \(path(backend, server)) \(weight.value)", success: .silence)
    }

    /// `set server … addr … port …`: where a server is.
    ///
    /// - Throws: ``HAProxyError`` with the code `invalidValue` for a host name.
    public static func setServerAddress(
        _ backend: ProxyName, _ server: ServerName, _ address: Address, port: Port? = nil
    ) throws(HAProxyError) -> RuntimeCommand {
        try requireIP(address)
        let port = port.map { " port \($0.number)" } ?? ""
        return RuntimeCommand(
            "set server \(path(backend, server)) addr \(address.text)\(port)",
            success: .message(["IP changed", "no need to change"]))
    }

    /// `set server … state`: whether a server takes load.
    public static func setServerState(
        _ backend: ProxyName, _ server: ServerName, _ state: ServerAdminState
    ) -> RuntimeCommand {
        RuntimeCommand("set server \(path(backend, server)) state \(state.rawValue)", success: .silence)
    }

    /// `set server … check-addr …`: where a server's checks go.
    ///
    /// - Throws: ``HAProxyError`` with the code `invalidValue` for a host name.
    public static func setCheckAddress(
        _ backend: ProxyName, _ server: ServerName, _ address: Address, port: Port? = nil
    ) throws(HAProxyError) -> RuntimeCommand {
        try requireIP(address)
        let port = port.map { " port \($0.number)" } ?? ""
        return RuntimeCommand(
            "set server \(path(backend, server)) check-addr \(address.text)\(port)",
            success: .silence)
    }

    /// `set server … check-port`: the port where a server's checks go.
    public static func setCheckPort(_ backend: ProxyName, _ server: ServerName, _ port: Port) -> RuntimeCommand {
        RuntimeCommand(
            "set server \(path(backend, server)) check-port \(port.number)", success: .silence)
    }

    /// `set maxconn server`: how many connections a server takes at a time; 0 sets no limit.
    public static func setMaxconnServer(_ backend: ProxyName, _ server: ServerName, _ limit: Count) -> RuntimeCommand {
        RuntimeCommand("set maxconn server \(path(backend, server)) \(limit.value)", success: .silence)
    }

    /// `add server`: a new server.
    ///
    /// It stays in maintenance until ``enableServer(_:_:)``, and is not checked until ``enableHealth(_:_:)``.
    /// ``Server/isDisabled`` and ``Server/initialAddress`` have no meaning here.
    ///
    /// - Parameters:
    ///   - backend: The backend that gets it.
    ///   - server: The server.
    ///   - number: Its number in its backend, 1 or above (`id`); nil takes the lowest that is free. Stick tables refer to
    ///     servers by number where the name is gone, so that of a deleted server leads its clients to whoever gets it next.
    /// - Returns: The command.
    /// - Throws: ``HAProxyError`` with the code `invalidValue` for a host name, which HAProxy would accept and not
    ///   resolve, and for a cookie's value, which it does not take.
    public static func addServer(
        _ backend: ProxyName, _ server: Server, number: Count? = nil
    ) throws(HAProxyError) -> RuntimeCommand {
        try requireIP(server.address)
        guard server.cookieValue == nil else {
            throw HAProxyError(
                .invalidValue, "server '\(server.name)' cannot be added at run time with a cookie value of its own")
        }
        var writer = ConfigurationWriter(capacity: 256)
        writer.literal("add server")
        try writer.word(backend.text)
        writer.literal("/")
        try writer.attached(server.name.text)
        try writer.endpoint(server.address, server.port)
        writer.option("weight")
        writer.number(server.weight.value)
        if let number {
            writer.option("id")
            writer.number(number.value)
        }
        if server.isBackup { writer.option("backup") }
        writer.options(server)
        return RuntimeCommand(
            String(decoding: writer.bytes, as: UTF8.self), success: .message(["New server registered."]))
    }

    /// `del server`: removes a server that is in maintenance and has no connections.
    public static func deleteServer(_ backend: ProxyName, _ server: ServerName) -> RuntimeCommand {
        RuntimeCommand("del server \(path(backend, server))", success: .message(["Server deleted."]))
    }

    /// `shutdown sessions server`: ends the connections that a server has.
    public static func shutdownSessions(_ backend: ProxyName, _ server: ServerName) -> RuntimeCommand {
        RuntimeCommand("shutdown sessions server \(path(backend, server))", success: .silence)
    }

    /// `enable server`: ends maintenance.
    public static func enableServer(_ backend: ProxyName, _ server: ServerName) -> RuntimeCommand {
        RuntimeCommand("enable server \(path(backend, server))", success: .silence)
    }

    /// `disable server`: begins maintenance.
    public static func disableServer(_ backend: ProxyName, _ server: ServerName) -> RuntimeCommand {
        RuntimeCommand("disable server \(path(backend, server))", success: .silence)
    }

    /// `enable health`: starts a server's checks; only a server that has checks takes it.
    public static func enableHealth(_ backend: ProxyName, _ server: ServerName) -> RuntimeCommand {
        RuntimeCommand("enable health \(path(backend, server))", success: .silence)
    }

    /// `disable health`: stops a server's checks, its state staying what it is.
    public static func disableHealth(_ backend: ProxyName, _ server: ServerName) -> RuntimeCommand {
        RuntimeCommand("disable health \(path(backend, server))", success: .silence)
    }

    private static func path(_ backend: ProxyName, _ server: ServerName) -> String { "\(backend.text)/\(server.text)" }

    private static func requireIP(_ address: Address) throws(HAProxyError) {
        guard address.kind != .hostName else {
            throw HAProxyError(
                .invalidValue,
                "'\(address)' is a host name, which HAProxy does not resolve at run time: resolve it first")
        }
    }
}
