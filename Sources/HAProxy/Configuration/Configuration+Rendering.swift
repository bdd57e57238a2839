extension Configuration {
    /// Writes the configuration as text, the same for equal values.
    ///
    /// - Returns: The text, for `haproxy -f`.
    /// - Throws: ``HAProxyError`` with the code `invalidValue` for a text that would not stay within its place.
    public func rendered() throws(HAProxyError) -> String {
        let servers = backends.reduce(0) { $0 + $1.servers.count }
        var writer = ConfigurationWriter(capacity: 4096 + 1024 * (frontends.count + backends.count) + 128 * servers)
        for line in header { try writer.comment(line) }
        try writer.write(global)
        try writer.write(defaults)
        for frontend in frontends { try writer.write(frontend) }
        for backend in backends { try writer.write(backend) }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension ConfigurationWriter {
    mutating func write(_ global: Global) throws(HAProxyError) {
        try section("global")
        for target in global.logTargets {
            keyword("log")
            try word(target.address.text)
            try word(target.facility.rawValue)
            if let level = target.level { try word(level.rawValue) }
            endLine()
        }
        try line("user", global.user)
        try line("group", global.group)
        if global.isDaemon { flag("daemon") }
        line("nbthread", global.threads)
        line("maxconn", global.maximumConnections)
        line("hard-stop-after", global.hardStopAfter)
        line("max-spread-checks", global.firstChecksWithin)
        line("mworker-max-reloads", global.maximumReloads)
        for socket in global.statsSockets { try write(socket) }
        line("stats timeout", global.statsTimeout)
        if let file = global.serverStateFile {
            keyword("server-state-file")
            try word(file.text)
            endLine()
        }
    }

    private mutating func write(_ socket: StatsSocket) throws(HAProxyError) {
        keyword("stats socket")
        try word(socket.path.text)
        if let user = socket.user {
            option("user")
            try word(user.text)
        }
        if let group = socket.group {
            option("group")
            try word(group.text)
        }
        if let mode = socket.mode {
            option("mode")
            try word(String(mode & 0o777, radix: 8))
        }
        option("level")
        try word(socket.level.rawValue)
        if socket.exposesListeners { option("expose-fd listeners") }
        endLine()
    }

    mutating func write(_ defaults: Defaults) throws(HAProxyError) {
        try section("defaults")
        if let mode = defaults.mode { try line(mode) }
        if defaults.logsGlobally { flag("log global") }
        line("retries", defaults.retries)
        lines(defaults.timeouts)
    }

    mutating func write(_ frontend: Frontend) throws(HAProxyError) {
        try section("frontend", frontend.name.text, comment: frontend.comment)
        try line(frontend.mode)
        for bind in frontend.binds {
            keyword("bind")
            try endpoint(bind.address, bind.port)
            if bind.isIPv6Only {
                option("v6only")
            } else if bind.address == .anyIPv6 {
                // Else the host decides, by its net.ipv6.bindv6only.
                option("v4v6")
            }
            endLine()
        }
        if frontend.isDisabled { flag("disabled") }
        switch frontend.logFormat {
        case .http: flag("option httplog")
        case .tcp: flag("option tcplog")
        case nil: break
        }
        if frontend.forwardsClientAddress { flag("option forwardfor") }
        if frontend.keepsIdleConnectionsWhenReplaced { flag("option idle-close-on-response") }
        if frontend.countsContinuously { flag("option contstats") }
        line("maxconn", frontend.maximumConnections)
        line("timeout client", frontend.clientTimeout)
        if let backend = frontend.defaultBackend {
            keyword("default_backend")
            try word(backend.text)
            endLine()
        }
    }

    mutating func write(_ backend: Backend) throws(HAProxyError) {
        try section("backend", backend.name.text, comment: backend.comment)
        try line(backend.mode)
        keyword("balance")
        try word(backend.balance.rawValue)
        endLine()
        if backend.forwardsClientAddress { flag("option forwardfor") }
        if let cookie = backend.cookie { try write(cookie) }
        if let table = backend.stickTable { try write(table) }
        if let check = backend.httpCheck { try write(check) }
        line("retries", backend.retries)
        lines(backend.timeouts)
        if backend.loadsServerState { flag("load-server-state-from-file global") }
        for server in backend.servers {
            keyword("server")
            try write(server)
            endLine()
        }
    }

    private mutating func write(_ cookie: CookiePersistence) throws(HAProxyError) {
        keyword("cookie")
        try word(cookie.name.text)
        option("insert indirect nocache")
        guard let key = cookie.dynamicKey else { return endLine() }
        option("dynamic")
        endLine()
        keyword("dynamic-cookie-key")
        try word(key.text)
        endLine()
    }

    private mutating func write(_ table: StickTable) throws(HAProxyError) {
        keyword("stick-table type")
        try word(table.key.rawValue)
        option("size")
        // HAProxy's k is 1,024 (`parse_size_err`).
        let isWhole = table.size.value > 0 && table.size.value % 1024 == 0
        number(isWhole ? table.size.value / 1024 : table.size.value)
        if isWhole { literal("k") }
        option("expire")
        time(table.expiry)
        endLine()
        flag("stick on src")
    }

    private mutating func write(_ check: HTTPCheck) throws(HAProxyError) {
        keyword("option httpchk")
        try word(check.method.rawValue)
        try requestPath(check.path)
        endLine()
        guard let status = check.expectedStatus else { return }
        keyword("http-check expect status")
        try word(status.first == status.last ? "\(status.first)" : "\(status.first)-\(status.last)")
        endLine()
    }

    /// Writes a server without `server` before it, for a configuration.
    private mutating func write(_ server: Server) throws(HAProxyError) {
        try word(server.name.text)
        try endpoint(server.address, server.port)
        option("weight")
        number(server.weight.value)
        if server.isBackup { option("backup") }
        if server.isDisabled { option("disabled") }
        if let value = server.cookieValue {
            option("cookie")
            try word(value.text)
        }
        options(server)
        guard let first = server.initialAddress.first else { return }
        option("init-addr")
        try word(server.initialAddress.dropFirst().reduce(first.rawValue) { "\($0),\($1.rawValue)" })
    }

    /// Writes the options that a configuration and `add server` have in common.
    mutating func options(_ server: Server) {
        if let limit = server.maximumConnections {
            option("maxconn")
            number(limit.value)
        }
        guard let check = server.check else { return }
        option("check")
        if let port = check.port {
            option("port")
            number(port.number)
        }
        option("inter", check.interval)
        option("fastinter", check.fastInterval)
        option("downinter", check.downInterval)
        option("rise", check.rise)
        option("fall", check.fall)
    }

    private mutating func lines(_ timeouts: Timeouts) {
        line("timeout connect", timeouts.connect)
        line("timeout client", timeouts.client)
        line("timeout server", timeouts.server)
        line("timeout queue", timeouts.queue)
        line("timeout check", timeouts.check)
    }

    private mutating func line(_ mode: Mode) throws(HAProxyError) {
        keyword("mode")
        try word(mode.rawValue)
        endLine()
    }

    private mutating func flag(_ text: StaticString) {
        keyword(text)
        endLine()
    }

    private mutating func line(_ keyword: StaticString, _ word: Word?) throws(HAProxyError) {
        guard let word else { return }
        self.keyword(keyword)
        try self.word(word.text)
        endLine()
    }

    private mutating func line(_ keyword: StaticString, _ count: Count?) {
        guard let count else { return }
        self.keyword(keyword)
        number(count.value)
        endLine()
    }

    private mutating func line(_ keyword: StaticString, _ time: Milliseconds?) {
        guard let time else { return }
        self.keyword(keyword)
        self.time(time)
        endLine()
    }

    private mutating func option(_ keyword: StaticString, _ time: Milliseconds?) {
        guard let time else { return }
        option(keyword)
        self.time(time)
    }

    private mutating func option(_ keyword: StaticString, _ count: Count?) {
        guard let count else { return }
        option(keyword)
        number(count.value)
    }
}
