import Synchronization

/// A client's connections: an idle one for each call where there is one, a few at most.
final class ConnectionShelf: Sendable {
    private struct Place {
        let connection: ClientConnection
        var calls: Int
    }
    private let servers: ServerChoice
    private let maximum: Int
    private let places = Mutex<[Place]>([])

    init(servers: ServerChoice, maximum: Int) {
        self.servers = servers
        self.maximum = maximum
    }

    /// Calls `body` with the connection that has the least to do.
    func withConnection<Value: Sendable>(_ body: (ClientConnection) async -> Value) async -> Value {
        let (index, connection) = places.withLock { places -> (Int, ClientConnection) in
            let least = places.indices.min { places[$0].calls < places[$1].calls }
            if let least, places[least].calls == 0 || places.count >= maximum {
                places[least].calls += 1
                return (least, places[least].connection)
            }
            let connection = ClientConnection(servers: servers)
            places.append(Place(connection: connection, calls: 1))
            return (places.count - 1, connection)
        }
        defer { places.withLock { $0[index].calls -= 1 } }
        return await body(connection)
    }
}
