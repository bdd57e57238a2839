internal import HAProxy

/// A server that cannot be changed while it runs is replaced by another for the same node: `id-1001` by `id-1001.2`, that by
/// `id-1001.3`. The identifier of a node has no dot, so no node can be called like the successor of another.
extension ServerName {
    /// The name that the configuration has for the node.
    var plain: ServerName { Self.split(description).flatMap { try? ServerName(String($0.plain)) } ?? self }

    /// Its place in the line of those that were there for the node, from 1.
    var incarnation: Int { Self.split(description)?.number ?? 1 }

    /// Whether it is the successor of another.
    var isSuccessor: Bool { Self.split(description) != nil }

    /// The name of a server in the same line.
    ///
    /// - Throws: ``HAProxyError`` when it would be longer than 255 bytes.
    func incarnation(_ number: Int) throws(HAProxyError) -> ServerName {
        number > 1 ? try ServerName("\(plain).\(number)") : plain
    }

    private static func split(_ name: String) -> (plain: Substring, number: Int)? {
        let dot = UInt8(ascii: ".")
        guard name.utf8.contains(dot), let end = name.utf8.lastIndex(of: dot), end > name.startIndex,
            let number = Int(name[name.utf8.index(after: end)...]), number > 1, "\(number)".utf8.count < 10
        else { return nil }
        return (name[..<end], number)
    }
}

/// The servers of a backend, by the nodes that they are there for.
struct Incarnations {
    private let servers: [ServerName: LiveServer]
    private var successors: [ServerName: [LiveServer]] = [:]

    init(_ servers: [ServerName: LiveServer]) {
        self.servers = servers
        for (name, server) in servers where name.isSuccessor { successors[name.plain, default: []].append(server) }
    }

    /// The servers that are there for a node, the youngest first.
    func all(of node: ServerName) -> [LiveServer] {
        let first = servers[node].map { [$0] } ?? []
        guard let others = successors[node] else { return first }
        return others.sorted { $0.server.name.incarnation > $1.server.name.incarnation } + first
    }

    /// The server that best becomes the one that is wanted; nil when a new one has to take its place.
    static func best(of incarnations: [LiveServer], for wanted: Server) -> LiveServer? {
        incarnations.first { !$0.isLeaving && $0.canBecome(wanted) } ?? incarnations.first { $0.canBecome(wanted) }
    }
}

extension LiveServer {
    /// Whether HAProxy can turn it into the one that is wanted while it runs.
    ///
    /// It cannot give an address to one whose host name it could not find when it started (2.6).
    func canBecome(_ wanted: Server) -> Bool {
        let stays = server.address == wanted.address && server.port == wanted.port
        return server.isBackup == wanted.isBackup && server.check == wanted.check && checkAddress == nil
            && server.cookieValue == wanted.cookieValue && (stays || address != nil)
    }
}
