internal import HAProxy
import JSON
internal import LoadBalancing

/// The servers that were removed and were still there, for the next worker to go on with.
///
/// They are written down, for nobody can tell them from a server that a human has added and not put in service yet.
struct LeavingServers: Sendable, Equatable {
    /// The process that has them; another one never had.
    var process: HAProxyProcess
    var places: Set<ServerPlace>
}

extension LeavingServers {
    private enum Key {
        static let process = "process"
        static let servers = "servers"
    }

    var json: JSONValue {
        [
            Key.process: process.json,
            Key.servers: .array(places.map { .string("\($0)") }.sorted { "\($0)" < "\($1)" }),
        ]
    }

    init?(_ json: JSONValue) {
        guard let process = json[Key.process].flatMap(HAProxyProcess.init(json:)),
            let servers = json[Key.servers]?.array
        else { return nil }
        self.init(process: process, places: Set(servers.compactMap { $0.string.flatMap(ServerPlace.init(parsing:)) }))
    }
}

extension HAProxyProcess {
    private enum Key {
        static let id = "id"
        static let startTime = "startTime"
    }

    var json: JSONValue { [Key.id: .number(Int(id)), Key.startTime: .number(Int(startTime))] }

    init?(json: JSONValue) {
        guard case .number(let id)? = json[Key.id], case .number(let startTime)? = json[Key.startTime],
            let id = Int32(id.description), let startTime = Int64(startTime.description)
        else { return nil }
        self.init(id: id, startTime: startTime)
    }
}

extension ServerPlace {
    /// Reads ``description``.
    init?(parsing text: String) {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let backend = try? ProxyName(String(parts[0])),
            let server = try? ServerName(String(parts[1]))
        else { return nil }
        self.init(backend: backend, server: server)
    }
}
