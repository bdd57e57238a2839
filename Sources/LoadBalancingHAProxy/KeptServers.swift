internal import HAProxy

/// Which servers a reload leaves as they are, by what run time knew of them.
///
/// What checks have found is kept where the server and what its checks ask for stay the same. What somebody else has set over
/// the socket (a state, a weight) is kept where that is not repaired anyway, and the change has nothing else to say.
struct KeptServers {
    private struct Candidate {
        let server: Server
        /// The server as it was last asked for; nil when that is not known.
        let asked: Server?
        let keepsHealth: Bool
    }

    private let keepsOthers: Bool
    private let live: LiveState?
    private var candidates: [String: Candidate] = [:]

    /// - Parameters:
    ///   - asked: What the process that runs was last asked for; nil when that is not known.
    ///   - live: The process as it is thought to be, which tells servers that only wait for their end.
    ///   - wanted: What it is to become.
    ///   - keepsOthers: Whether what somebody else has set is kept.
    init(from asked: Configuration?, _ live: LiveState?, to wanted: Configuration, keepsOthers: Bool) {
        self.live = live
        self.keepsOthers = keepsOthers
        var before: [ProxyName: Backend] = [:]
        for backend in asked?.backends ?? [] { before[backend.name] = backend }
        for backend in wanted.backends {
            let previous = before[backend.name]
            var servers: [ServerName: Server] = [:]
            for server in previous?.servers ?? [] { servers[server.name] = server }
            // Another question may find another answer.
            let keepsHealth = previous.map { $0.httpCheck == backend.httpCheck } ?? true
            for server in backend.servers {
                candidates[Self.place(backend.name.description, server.name)] = Candidate(
                    server: server, asked: servers[server.name], keepsHealth: keepsHealth)
            }
        }
    }

    /// The server state file for the process that takes the other's place.
    ///
    /// - Parameter reply: What the other says of its servers.
    /// - Returns: The file.
    /// - Throws: ``HAProxyError`` with the code `unreadableReply`.
    func file(from reply: [UInt8]) throws(HAProxyError) -> ServerStateFile {
        try ServerStateFile(reply) { rows in
            // Several servers may be there for a node, of which one is in service.
            var chosen: [String: Int] = [:]
            for (index, row) in rows.enumerated() {
                guard let name = try? ServerName(row.name) else { continue }
                let place = Self.place(row.backend, name.plain)
                guard candidates[place] != nil, !isLeaving(row, name) else { continue }
                if let other = chosen[place], rows[other].adminState == .ready || row.adminState != .ready { continue }
                chosen[place] = index
            }
            var entries = [ServerStateFile.Entry?](repeating: nil, count: rows.count)
            for (place, index) in chosen { entries[index] = candidates[place].flatMap { entry(rows[index], $0) } }
            return entries
        }
    }

    private static func place(_ backend: String, _ server: ServerName) -> String { "\(backend)/\(server)" }

    private func isLeaving(_ row: ServersState.Row, _ name: ServerName) -> Bool {
        guard let live, let backend = try? ProxyName(row.backend) else { return false }
        return live.servers[backend]?[name]?.isLeaving ?? false
    }

    private func entry(_ row: ServersState.Row, _ candidate: Candidate) -> ServerStateFile.Entry? {
        let server = candidate.server
        let isSame =
            server.address.kind == .hostName
            ? row.hostName == server.address.description : row.address == server.address.description
        guard isSame, row.port == server.port.number, !row.isUnresolved else { return nil }
        // A server in maintenance is not checked, and is no more down than any other.
        let isDown = candidate.keepsHealth && row.isDown && row.adminState != .maint
        let (rise, fall) = (Int(server.check?.rise?.value ?? 2), Int(server.check?.fall?.value ?? 3))
        let isKnown = candidate.keepsHealth && row.adminState != .maint
        let health = isDown ? min(row.health, rise - 1) : min(max(row.health, rise), rise + fall - 1)
        var entry = ServerStateFile.Entry(server, isDown: isDown, health: isKnown ? health : rise)
        if keepsOthers, let asked = candidate.asked,
            asked.isDisabled == server.isDisabled && asked.weight == server.weight
        {
            entry.adminState = row.adminState
            if let weight = try? Weight(row.weight) { entry.weight = weight }
            if entry.adminState == .maint { entry.isDown = true }
        }
        // What starts in maintenance needs no state.
        return entry.isDisabled && entry.adminState == .maint ? nil : entry
    }
}
